"""This is booking a fill: execution, order, ledger and outbox change together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from adapters.messages import execution_booked
from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.bookings import execution_from_row, order_after_row, orders_after_fill
from trading.broker_books import BrokerOrder
from trading.executions import Execution
from trading.orders import Order


@dataclass(frozen=True)
class Booked:
    """An order after something was booked on it, and the fill if it was one."""

    order: Order
    execution: Execution | None = None


def book(work: UnitOfWork, order: Order, execution: Execution) -> Order:
    """Write one fill with everything that follows from it; give the order after it.

    Must run inside one unit of work in which the order was read. A fill that comes after the order was
    cancelled or has expired counts, and what is left of it stays closed.

    Raises:
        LedgerViolation, InvalidTransition: when it cannot be true; the unit of work must not be kept.
    """
    if not work.executions.add(execution):
        return order
    for after in orders_after_fill(order, execution):
        work.orders.save(after, detail=f"{execution.source.value.lower()} {execution.quantity}")
        order = after
    work.ledger.post(execution)
    return order


def book_row(
    desk: Desk, row: BrokerOrder, trading_day: date, *, is_day_over: bool = False, at: datetime
) -> Booked | None:
    """Bring the order of a row (modifications folded in) to what the row proves, and tell its fill.

    Fill, order, ledger, position and outbox change together or not at all. None when the row is no order's of
    ours.
    """
    with desk.stores.begin() as work:
        order = work.orders.by_broker_id(trading_day, row.broker_order_id)
        if order is None:
            return None
        execution = execution_from_row(
            order, row, desk.terms(work, order.symbol, trading_day), at=at
        )
        if execution is not None:
            order = book(work, order, execution)
        after = order_after_row(order, row, is_day_over=is_day_over, at=at)
        if after != order:
            work.orders.save(after, detail="inquiry")
    if execution is not None:
        name = desk.name(after.symbol)
        desk.tell(execution_booked(execution, after, desk.wording, name=name))
    return Booked(after, execution)
