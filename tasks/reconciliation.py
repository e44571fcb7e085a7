"""This is bringing our book to the broker's: doubt, fills, states, then positions and cash compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import differences_found, execution_booked
from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.bookings import execution_from_row, order_after_row
from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.executions import Execution
from trading.ledger import CashFlow
from trading.orders import Order, OrderStatus
from trading.reconciliation import (
    Difference,
    DifferenceKind,
    compare_cash,
    compare_orders,
    compare_positions,
    matches_in_doubt,
)
from trading.sessions import session_of

CLOSING_DELAY = timedelta(minutes=1)
"""How long after the close the last fills may still be on their way into the broker's rows."""


@dataclass(frozen=True)
class Booked:
    """An order after something was booked on it, and the fill if it was one."""

    order: Order
    execution: Execution | None = None


@dataclass(frozen=True)
class Reconciliation:
    """What one comparison found and did. `differences` are those that remain."""

    at: datetime
    orders: int = 0
    booked: tuple[Booked, ...] = ()
    settled: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = field(default_factory=tuple)

    @property
    def is_clean(self) -> bool:
        """Whether both books agree, orders placed by hand aside."""
        return all(d.kind is DifferenceKind.ORDER_FOREIGN for d in self.differences)


@task(cache_policy=NO_CACHE)
async def reconcile(desk: Desk) -> Reconciliation:
    """Compare our book with the broker's and book what the broker's rows prove.

    Reads all of the broker's book first (any failure raises and changes nothing), then writes each order in a
    transaction of its own. Orders placed by hand are named, never touched; positions and cash are only named.
    """
    asked_at, day = desk.now(), desk.today()
    rows = await desk.broker.orders_of_day(day)
    positions = await desk.broker.get_positions()
    balance = await desk.broker.get_balance()
    at = desk.now()
    adopted = _adopt(desk, positions, balance, rows, day=day, at=at)
    settled = _settle_doubt(desk, rows, day=day, at=at)
    is_day_over = asked_at >= session_of(day).closes_at + CLOSING_DELAY
    booked = _book_rows(desk, rows, day=day, is_day_over=is_day_over, at=at)
    differences = _differences(desk, rows, positions, balance, day=day)
    _tell(desk, booked, differences)
    return Reconciliation(at, len(rows), booked, settled, adopted, differences)


def _adopt(
    desk: Desk,
    positions: Sequence[BrokerPosition],
    balance: Balance,
    rows: Sequence[BrokerOrder],
    *,
    day: date,
    at: datetime,
) -> tuple[str, ...]:
    """Open our book from the broker's, once, before we ever ordered: cash by settlement day, then holdings."""
    with desk.stores.begin() as work:
        if work.ledger.deposits() or work.executions.all():
            return ()
        if any(row.is_ours and row.open_quantity for row in rows):
            return ()
        for flow in _opening_flows(desk, balance, day):
            work.ledger.deposit(flow, reason="opening balance", at=at)
        for position in positions:
            work.ledger.adopt(
                position.symbol, quantity=position.quantity, cost=position.cost, at=at
            )
    return (f"{balance.cash} KRW", *(f"{p.symbol} {p.quantity}" for p in positions))


def _opening_flows(desk: Desk, balance: Balance, day: date) -> tuple[CashFlow, ...]:
    tomorrow = desk.calendar.next_trading_day(day)
    flows = (
        CashFlow(day, balance.deposit),
        CashFlow(tomorrow, balance.next_day_cash - balance.deposit),
        CashFlow(desk.calendar.next_trading_day(tomorrow), balance.cash - balance.next_day_cash),
    )
    return tuple(flow for flow in flows if flow.amount)


def _settle_doubt(
    desk: Desk, rows: Sequence[BrokerOrder], *, day: date, at: datetime
) -> tuple[str, ...]:
    """Bind an order in doubt to the only row that can be it; none or several leave it in doubt."""
    with desk.stores.begin() as work:
        orders = work.orders.of_day(day)
        bound = frozenset(order.broker_order_id for order in orders if order.broker_order_id)
        doubtful = [order for order in orders if order.is_in_doubt]
        settled = []
        for order in doubtful:
            match matches_in_doubt(order, rows, bound):
                case (row,):
                    bound |= {row.broker_order_id}
                    accepted = order.accept(row.broker_order_id, branch=row.branch, at=at)
                    work.orders.save(accepted, detail="settled by inquiry")
                    settled.append(order.client_order_id)
    return tuple(settled)


def _book_rows(
    desk: Desk, rows: Sequence[BrokerOrder], *, day: date, is_day_over: bool, at: datetime
) -> tuple[Booked, ...]:
    """Give what was filled according to the rows; rows of cancels and modifies are about other rows."""
    booked = [
        _book_row(desk, row, day=day, is_day_over=is_day_over, at=at)
        for row in rows
        if not row.original_id
    ]
    return tuple(one for one in booked if one is not None and one.execution is not None)


def _book_row(
    desk: Desk, row: BrokerOrder, *, day: date, is_day_over: bool, at: datetime
) -> Booked | None:
    """Book one row: fill, order, ledger, position and outbox change together or not at all."""
    with desk.stores.begin() as work:
        order = work.orders.by_broker_id(day, row.broker_order_id)
        if order is None:
            return None
        execution = execution_from_row(order, row, desk.terms(work, order.symbol, day), at=at)
        if execution is not None:
            order = book(work, order, execution)
        after = order_after_row(order, row, is_day_over=is_day_over, at=at)
        if after != order:
            work.orders.save(after, detail="inquiry")
    return Booked(after, execution)


def book(work: UnitOfWork, order: Order, execution: Execution) -> Order:
    """Write one fill with everything that follows from it; give the order after it.

    Must run inside one unit of work in which the order was read.
    """
    if not work.executions.add(execution):
        return order
    filled = order.fill(execution.quantity, execution.value, at=execution.executed_at)
    work.orders.save(filled, detail=f"{execution.source.value.lower()} {execution.quantity}")
    work.ledger.post(execution)
    return filled


def _differences(
    desk: Desk,
    rows: Sequence[BrokerOrder],
    positions: Sequence[BrokerPosition],
    balance: Balance,
    *,
    day: date,
) -> tuple[Difference, ...]:
    with desk.stores.begin() as work:
        sent = [
            order for order in work.orders.of_day(day) if order.status is not OrderStatus.DENIED
        ]
        ledger = work.ledger.load()
    orders = compare_orders(sent, rows)
    return (*orders, *compare_positions(ledger, positions), *compare_cash(ledger, balance))


def _tell(desk: Desk, booked: Sequence[Booked], differences: Sequence[Difference]) -> None:
    for one in booked:
        if one.execution is not None:
            name = desk.name(one.order.symbol)
            desk.tell(execution_booked(one.execution, one.order, desk.wording, name=name))
    if differences:
        desk.tell(differences_found(differences, desk.wording))
