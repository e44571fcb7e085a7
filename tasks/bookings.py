"""This is carrying out steps on orders: execution, order, ledger and outbox change together or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from adapters.messages import execution_booked
from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.broker_books import BrokerOrder
from trading.errors import LedgerViolation
from trading.executions import Execution
from trading.orders import Order, OrderStatus
from trading.plans import Step, booking, follow_row


@dataclass(frozen=True)
class Booked:
    """An order after something was booked on it, and the fill if it was one."""

    order: Order
    execution: Execution | None = None


def carry_out(work: UnitOfWork, step: Step) -> None:
    """Write one step of an order with everything that follows from it.

    Must run inside the unit of work in which the step was planned from the locked order. A fill that comes after
    the order was cancelled or has expired counts, and what is left of it stays closed.

    Raises:
        LedgerViolation, BadInput: when it cannot be true; the unit of work must not be kept.
    """
    told = f"{step.act.value.lower()} {step.detail}"
    fill = step.execution
    for state in step.states:
        if state.status is OrderStatus.INITIALIZED:
            work.orders.add(state)
        else:
            work.orders.save(state, detail=told)
    if fill is not None and not work.executions.add(fill):
        raise LedgerViolation(f"{fill.execution_id} is booked already")
    if fill is not None:
        work.ledger.post(fill)


def book(work: UnitOfWork, order: Order, execution: Execution) -> Order:
    """Write one fill; give the order after it.

    Raises:
        LedgerViolation, InvalidTransition: when it cannot be true; the unit of work must not be kept.
    """
    step = booking(order, execution)
    carry_out(work, step)
    return step.order


def book_row(
    desk: Desk, row: BrokerOrder, trading_day: date, *, is_day_over: bool = False, at: datetime
) -> Booked | None:
    """Bring the order of a row (modifications folded in) to what the row proves, and tell its fill.

    None when the row is no order's of ours.

    Raises:
        LedgerViolation, InvalidTransition: when the row cannot be true; nothing of it is kept.
    """
    with desk.stores.begin() as work:
        order = work.orders.by_broker_id(trading_day, row.broker_order_id)
        if order is None:
            return None
        terms = desk.terms(work, order.symbol, trading_day)
        steps = follow_row(order, row, terms, is_day_over=is_day_over, at=at)
        for step in steps:
            carry_out(work, step)
    tell_fills(desk, steps)
    fill = next((step.execution for step in steps if step.execution), None)
    return Booked(steps[-1].order if steps else order, fill)


def tell_fills(desk: Desk, steps: Iterable[Step]) -> None:
    """Tell the owner what was filled."""
    for step in steps:
        if step.execution is not None:
            name = desk.name(step.order.symbol)
            desk.tell(execution_booked(step.execution, step.order, desk.wording, name=name))
