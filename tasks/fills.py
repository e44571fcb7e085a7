"""This is applying the broker's notices: each fill booked once, what is unclear left to an inquiry."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from adapters.messages import execution_booked, order_rejected
from adapters.stores import UnitOfWork
from tasks.bookings import Booked, book
from tasks.desk import Desk
from tasks.plans import IMPOSSIBLE
from trading.bookings import Postponed, execution_from_notice
from trading.manual_orders import BEFORE_OPENING
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
    """Apply one notice in one transaction and tell the owner about fills and refusals.

    One whose number no order has yet is kept in the buffer, where a crash does not lose it.
    """
    number = notice.original_id if _concerns_original(notice) else notice.broker_order_id
    try:
        with desk.stores.begin() as work:
            order = work.orders.by_broker_id(trading_day, number)
            if order is None:
                work.notices.keep(trading_day, notice)
                return NoticeOutcome.UNKNOWN_ORDER
            applied = _apply(desk, work, order, notice, trading_day)
    except IMPOSSIBLE:
        return NoticeOutcome.NEEDS_INQUIRY  # which names it and stops the symbol
    if applied is None:
        return NoticeOutcome.NEEDS_INQUIRY
    if applied.order != order:
        _tell(desk, notice, applied)
    return NoticeOutcome.APPLIED


def _concerns_original(notice: Notice) -> bool:
    return notice.kind in {NoticeKind.CANCELED, NoticeKind.MODIFIED} and bool(notice.original_id)


def _apply(
    desk: Desk, work: UnitOfWork, order: Order, notice: Notice, trading_day: date
) -> Booked | None:
    """Give the order after the notice and the fill, if it was one; None when only an inquiry can tell."""
    match notice.kind:
        case _ if order.error_code == BEFORE_OPENING:
            return None
        case NoticeKind.FILLED:
            return _fill(desk, work, order, notice, trading_day)
        case NoticeKind.CANCELED if notice.quantity < order.open_quantity:
            # A part was cancelled by hand, or a fill before the cancel is still to come.
            return None
        case NoticeKind.CANCELED if order.is_open and not order.is_in_doubt:
            order = order.cancel(at=notice.received_at)
            work.orders.save(order, detail="notice")
        case NoticeKind.REJECTED if _may_be_refused(order):
            order = order.reject("EXCHANGE", "refused by the exchange", at=notice.received_at)
            work.orders.save(order, detail="notice")
        case NoticeKind.MODIFIED:
            return None
    return Booked(order)


def _may_be_refused(order: Order) -> bool:
    is_whole = order.status in {OrderStatus.ACCEPTED, OrderStatus.PENDING_CANCEL}
    return is_whole and not order.filled_quantity


def _fill(
    desk: Desk, work: UnitOfWork, order: Order, notice: Notice, trading_day: date
) -> Booked | None:
    terms = desk.terms(work, order.symbol, trading_day)
    booked = work.executions.of_order(order.client_order_id)
    execution = execution_from_notice(order, booked, notice, terms)
    if isinstance(execution, Postponed):
        return None
    return Booked(book(work, order, execution), execution)


def _tell(desk: Desk, notice: Notice, applied: Booked) -> None:
    name = desk.name(applied.order.symbol)
    if applied.execution is not None:
        message = execution_booked(applied.execution, applied.order, desk.wording, name=name)
        desk.tell(message)
    elif notice.kind is NoticeKind.REJECTED:
        desk.tell(order_rejected(applied.order, desk.wording, name=name))
