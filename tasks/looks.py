"""This is one look at the broker's book: orders of the days that matter, holdings, cash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.broker_books import Balance, BrokerPosition
from trading.instruments import Symbol
from trading.orders import Order, OrderType, Side
from trading.plans import BrokerDay
from trading.reconciliation import fold_modifications
from trading.sessions import session_of

CLOSING_DELAY = timedelta(minutes=1)
"""How long after the close the last fills may still be on their way into the broker's rows."""


@dataclass(frozen=True)
class Look:
    """All of the broker's book that one comparison needs, whole; `at` is when all of it was read.

    `buyable_cash` is asked only while a buy is in doubt.
    """

    at: datetime
    days: tuple[BrokerDay, ...]
    positions: tuple[BrokerPosition, ...]
    balance: Balance
    buyable_cash: int | None

    @property
    def today(self) -> BrokerDay:
        """The newest day."""
        return self.days[-1]

    def held(self, symbol: Symbol) -> int:
        """Give the broker's shares of `symbol`."""
        return sum(p.quantity for p in self.positions if p.symbol == symbol)

    def sellable(self, symbol: Symbol) -> int:
        """Give the broker's shares of `symbol` that no open sell holds."""
        return sum(p.sellable_quantity for p in self.positions if p.symbol == symbol)


async def look(desk: Desk, *, with_yesterday: bool = False) -> Look:
    """Read today, every earlier day with an order that we call open, holdings and cash; whole or not at all.

    Raises:
        BrokerError: when any of it cannot be read whole.
    """
    asked_at, today = desk.now(), desk.today()
    with desk.stores.begin() as work:
        days = _days(desk, work, today, with_yesterday=with_yesterday)
        doubtful = next((o for o in work.orders.open() if _holds_cash_in_doubt(o)), None)
    rows = {day: await desk.broker.orders_of_day(day) for day in days}
    positions = await desk.broker.get_positions()
    balance = await desk.broker.get_balance()
    buyable = await _buyable(desk, doubtful) if doubtful else None
    at = desk.now()
    return Look(
        at=at,
        days=tuple(
            BrokerDay(
                day=day,
                rows=fold_modifications(found),
                at=at,
                is_over=asked_at >= session_of(day).closes_at + CLOSING_DELAY,
                is_past=day < today,
            )
            for day, found in rows.items()
        ),
        positions=positions,
        balance=balance,
        buyable_cash=buyable,
    )


def _days(desk: Desk, work: UnitOfWork, today: date, *, with_yesterday: bool) -> Iterable[date]:
    days = {today, *(order.intent.trading_day for order in work.orders.open())}
    if with_yesterday:
        days.add(desk.calendar.previous_trading_day(today))
    return sorted(days)


def _holds_cash_in_doubt(order: Order) -> bool:
    return order.is_in_doubt and order.side is Side.BUY


async def _buyable(desk: Desk, order: Order) -> int:
    """Ask for the cash that a buy may use: one figure for the account, whatever the order."""
    price = order.intent.limit_price or order.intent.reference_price
    answer = await desk.broker.buyable(order.symbol, order_type=OrderType.LIMIT, price=price)
    return answer.cash
