"""This is the operator's word on an order in doubt: it is that number, or it is not there."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.stores import AuditEntry, UnitOfWork
from tasks.bookings import carry_out
from tasks.desk import Desk
from tasks.doubts import submission_of
from tasks.reconciliation import reconcile
from trading.audits import OPERATOR
from trading.broker_books import BrokerOrder
from trading.doubts import ARRIVE_WITHIN, SEND_WITHIN
from trading.errors import BadInput
from trading.orders import Order
from trading.plans import Step, bind, declare_absent, follow_late_match, is_absent
from trading.reconciliation import fold_modifications


async def bind_by_hand(desk: Desk, order_id: str, number: str, *, reason: str) -> Order:
    """Bind an order in doubt, or one declared absent, to a number of the broker's, and book what it has filled.

    Raises:
        BadInput: when the order is not in doubt, the broker shows no such number with the same symbol, side and
            quantity, or an order of ours has it; nothing is changed then.
        BrokerError: when the broker's rows cannot be read.
    """
    order = _read(desk, order_id)
    rows = fold_modifications(await desk.broker.orders_of_day(order.intent.trading_day))
    row = _row_of(order, number, rows)
    with desk.stores.begin() as work:
        order = _require(work.orders.get(order_id), order_id)
        if work.orders.by_broker_id(order.intent.trading_day, row.broker_order_id) is not None:
            raise BadInput("number", number, "a number that no order of ours has")
        _audit(desk, work, "bind", {"order": order_id, "number": number, "reason": reason})
        carry_out(work, _binding(desk, order, row))
    await reconcile.fn(desk)
    return _reread(desk, order_id)


async def declare_absent_by_hand(desk: Desk, order_id: str, *, reason: str) -> Order:
    """Close an order in doubt because the operator has seen that the broker does not have it.

    Raises:
        BadInput: when the order is not in doubt, or it may be on its way still; nothing is changed then.
    """
    with desk.stores.begin() as work:
        order = _require(work.orders.get(order_id), order_id)
        if not order.is_in_doubt:
            raise BadInput("order", order_id, f"an order in doubt, this is {order.status}")
        until = submission_of(work, order).sent_at + SEND_WITHIN + ARRIVE_WITHIN
        if desk.now() < until:
            raise BadInput("order", order_id, "an order that cannot be on its way any more: wait")
        step = declare_absent(order, f"operator: {reason}", at=desk.now())
        _audit(desk, work, "absent", {"order": order_id, "reason": reason})
        carry_out(work, step)
    await reconcile.fn(desk)
    return _reread(desk, order_id)


def _read(desk: Desk, order_id: str) -> Order:
    with desk.stores.begin() as work:
        return _require(work.orders.get(order_id), order_id)


def _reread(desk: Desk, order_id: str) -> Order:
    with desk.stores.begin() as work:
        order = work.orders.get(order_id)
    if order is None:
        raise LookupError(f"{order_id}: an order is never deleted")
    return order


def _require(order: Order | None, order_id: str) -> Order:
    if order is None or not (order.is_in_doubt or is_absent(order)):
        found = "no such order" if order is None else f"{order.status}"
        raise BadInput("order", order_id, f"an order in doubt, this is {found}")
    return order


def _row_of(order: Order, number: str, rows: tuple[BrokerOrder, ...]) -> BrokerOrder:
    """Find the number, with or without its leading zeros, and hold it against the order."""
    row = next((r for r in rows if r.broker_order_id in {number, number.zfill(10)}), None)
    if row is None or row.original_id:
        raise BadInput("number", number, "a number that the broker's day shows as an order")
    wanted = (order.symbol, order.side, order.quantity)
    if (row.symbol, row.side, row.quantity) != wanted:
        found = f"{row.side} {row.symbol} {row.quantity}"
        raise BadInput(
            "number",
            number,
            f"an order {order.side} {order.symbol} {order.quantity}, this is {found}",
        )
    return row


def _binding(desk: Desk, order: Order, row: BrokerOrder) -> Step:
    if is_absent(order):
        (step,) = follow_late_match(order, [row], cancels=False, at=desk.now())
        return step
    return bind(order, row, at=desk.now())


def _audit(desk: Desk, work: UnitOfWork, action: str, detail: Mapping[str, str]) -> None:
    work.audit.add(AuditEntry(OPERATOR, f"orders {action}", detail), at=desk.now())
