"""This is applying the broker's notices: each fill booked once, what is unclear left to an inquiry."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from tasks.messages import tell_execution, tell_rejection
from tasks.reconciliation import book
from trading.bookings import Postponed, execution_from_notice
from trading.executions import Execution
from trading.notices import Notice, NoticeKind
from trading.orders import Order, OrderStatus


class NoticeOutcome(StrEnum):
    """What became of a notice."""

    APPLIED = "APPLIED"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    """No order has this number yet: the notice may have overtaken the reply, try again."""
    NEEDS_INQUIRY = "NEEDS_INQUIRY"
    """Only the broker's rows can tell; reconcile."""


def apply_notice(desk: Desk, notice: Notice, *, trading_day: date) -> NoticeOutcome:
    """Apply one notice in one transaction and tell the owner about fills and refusals."""
    number = notice.original_id if _concerns_original(notice) else notice.broker_order_id
    with desk.stores.begin() as work:
        order = work.orders.by_broker_id(trading_day, number)
        if order is None:
            return NoticeOutcome.UNKNOWN_ORDER
        outcome, execution = _apply(desk, work, order, notice, trading_day)
    if execution is not None:
        tell_execution(desk, execution)
    if notice.kind is NoticeKind.REJECTED and outcome is NoticeOutcome.APPLIED:
        tell_rejection(desk, order, "exchange")
    return outcome


def _concerns_original(notice: Notice) -> bool:
    return notice.kind in {NoticeKind.CANCELED, NoticeKind.MODIFIED} and bool(notice.original_id)


def _apply(
    desk: Desk, work: UnitOfWork, order: Order, notice: Notice, trading_day: date
) -> tuple[NoticeOutcome, Execution | None]:
    match notice.kind:
        case NoticeKind.FILLED:
            return _fill(desk, work, order, notice, trading_day)
        case NoticeKind.CANCELED if order.is_open and not order.is_in_doubt:
            work.orders.save(order.cancel(at=notice.received_at), detail="notice")
        case NoticeKind.REJECTED if order.status is OrderStatus.ACCEPTED:
            refused = order.reject("EXCHANGE", "refused by the exchange", at=notice.received_at)
            work.orders.save(refused, detail="notice")
        case NoticeKind.MODIFIED:
            return NoticeOutcome.NEEDS_INQUIRY, None
    return NoticeOutcome.APPLIED, None


def _fill(
    desk: Desk, work: UnitOfWork, order: Order, notice: Notice, trading_day: date
) -> tuple[NoticeOutcome, Execution | None]:
    terms = desk.terms(work, order.symbol, trading_day)
    booked = work.executions.of_order(order.client_order_id)
    execution = execution_from_notice(order, booked, notice, terms)
    if isinstance(execution, Postponed):
        return NoticeOutcome.NEEDS_INQUIRY, None
    book(work, order, execution)
    return NoticeOutcome.APPLIED, execution
