"""This is booking a fill: execution, order, ledger and outbox change together or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.stores import UnitOfWork
from trading.executions import Execution
from trading.orders import Order, OrderStatus


@dataclass(frozen=True)
class Booked:
    """An order after something was booked on it, and the fill if it was one."""

    order: Order
    execution: Execution | None = None


def book(work: UnitOfWork, order: Order, execution: Execution) -> Order:
    """Write one fill with everything that follows from it; give the order after it.

    Must run inside one unit of work in which the order was read. A fill that comes after the order was
    cancelled or has expired counts, and what is left of it stays closed.
    """
    if not work.executions.add(execution):
        return order
    at, was = execution.executed_at, order.status
    order = order.fill(execution.quantity, execution.value, at=at)
    work.orders.save(order, detail=f"{execution.source.value.lower()} {execution.quantity}")
    work.ledger.post(execution)
    if order.is_open and was in {OrderStatus.CANCELED, OrderStatus.EXPIRED}:
        order = order.cancel(at=at) if was is OrderStatus.CANCELED else order.expire(at=at)
        work.orders.save(order, detail="filled before it was closed")
    return order
