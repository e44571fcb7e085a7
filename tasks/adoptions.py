"""This is opening our book: what the account had before maemae came, taken over once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from tasks.desk import Desk
from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.ledger import CashFlow


def adopt(
    desk: Desk,
    positions: Sequence[BrokerPosition],
    balance: Balance,
    rows: Sequence[BrokerOrder],
    *,
    at: datetime,
) -> tuple[str, ...]:
    """Book the broker's cash by settlement day and its holdings, if our book is still empty; say what.

    Waits while an order is open that came in through this key: the opening would lie between two fills.
    """
    if any(row.is_ours and row.open_quantity for row in rows):
        return ()
    with desk.stores.begin() as work:
        book = work.ledger.load()  # locks the account: of two at once only the first finds it empty
        if book.flows or book.positions:
            return ()
        for flow in _opening_flows(desk, balance, desk.today()):
            work.ledger.deposit(flow, reason="opening balance", at=at)
        for position in positions:
            cost = _value(position)
            work.ledger.adopt(position.symbol, quantity=position.quantity, cost=cost, at=at)
    return (f"{balance.cash} KRW", *(f"{p.symbol} {p.quantity}" for p in positions))


def _value(position: BrokerPosition) -> int:
    """Value what is taken over at today's price: what it gained or lost before is no result of ours.

    At its own cost an old loss would count as today's and close the gate by the daily loss limit.
    """
    return position.quantity * position.last if position.last > 0 else position.cost


def _opening_flows(desk: Desk, balance: Balance, day: date) -> tuple[CashFlow, ...]:
    tomorrow = desk.calendar.next_trading_day(day)
    flows = (
        CashFlow(day, balance.deposit),
        CashFlow(tomorrow, balance.next_day_cash - balance.deposit),
        CashFlow(desk.calendar.next_trading_day(tomorrow), balance.cash - balance.next_day_cash),
    )
    return tuple(flow for flow in flows if flow.amount)
