"""This is how the broker's words become booked fills: never twice, and never lost for good.

Two sources tell of the same fills. Notices come one per fill, at least once, in any order, and carry no
execution number. Rows of an inquiry are cumulative: what they prove beyond our book is booked in one piece.
A notice that could be a repetition, or that an inquiry may already have covered, is not booked but left to
the next inquiry (`Postponed`): the book may be late for a moment, it is never over-counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trading.broker_books import BrokerOrder
from trading.costs import CostSchedule
from trading.executions import Execution, ExecutionSource, inquiry_id, notice_id
from trading.instruments import Instrument
from trading.notices import Notice
from trading.orders import Order, OrderStatus
from trading.sessions import KST

CLOCK_MARGIN = timedelta(seconds=60)
"""So far may the broker's clock be ahead of ours, at the most that stops trading: a notice so soon after an inquiry
may tell of what that has booked."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a fill of one instrument on one day costs and when it settles."""

    instrument: Instrument
    costs: CostSchedule
    trading_day: date
    settles_on: date


@dataclass(frozen=True, slots=True)
class Postponed:
    """A notice that only an inquiry can judge, and why."""

    reason: str


def execution_from_notice(
    order: Order, booked: Sequence[Execution], notice: Notice, terms: Terms
) -> Execution | Postponed:
    """Turn a fill notice into the execution to book, or say why an inquiry has to decide.

    `booked` are the executions of this order so far. The broker's number must be the order's.
    """
    at = _told_time(notice, terms.trading_day)
    value = notice.quantity * notice.price
    if at is None:
        return Postponed("the notice tells no time, so it cannot be told from another")
    if value <= 0:
        return Postponed("a fill of nothing or for nothing is none")
    identity = notice_id(
        trading_day=terms.trading_day,
        broker_order_id=notice.broker_order_id,
        time_text=notice.time_text,
        quantity=notice.quantity,
        price=notice.price,
        ordinal=0,
    )
    if any(e.execution_id == identity for e in booked):
        return Postponed(
            "the same notice was booked before: repeated, or an equal fill in one second"
        )
    if any(_covers(e, at) for e in booked):
        return Postponed("an inquiry made after this fill may have counted it")
    if notice.quantity > order.quantity - order.filled_quantity:
        return Postponed("more than the order has left")
    return _execution(
        order,
        notice.quantity,
        value,
        terms,
        at=at,
        identity=identity,
        source=ExecutionSource.NOTICE,
    )


def execution_from_row(
    order: Order, row: BrokerOrder, terms: Terms, *, at: datetime
) -> Execution | None:
    """Book in one piece what the broker's row proves beyond our fills; None when there is nothing.

    A row behind our book (inquiries lag) proves nothing. `at` is the time of the inquiry.
    """
    quantity = row.filled_quantity - order.filled_quantity
    value = row.filled_value - order.filled_value
    if quantity <= 0 or value <= 0:
        return None
    return execution_in_one(order, quantity, value, terms, number=row.broker_order_id, at=at)


def execution_in_one(
    order: Order, quantity: int, value: int, terms: Terms, *, number: str, at: datetime
) -> Execution:
    """Book in one piece that so many shares more filled for `value` won; `number` is the broker's of the order."""
    identity = inquiry_id(
        trading_day=terms.trading_day,
        broker_order_id=number,
        cumulative_quantity=order.filled_quantity + quantity,
    )
    return _execution(
        order, quantity, value, terms, at=at, identity=identity, source=ExecutionSource.INQUIRY
    )


def orders_after_fill(order: Order, execution: Execution) -> tuple[Order, ...]:
    """Give the states that a fill leads through; one that overtook a cancel or the day's end leaves it closed.

    A cancel that is on its way stays asked for: the fill says nothing about it.

    Raises:
        InvalidTransition: when more would be filled than was ordered.
    """
    at, was = execution.executed_at, order.status
    filled = order.fill(execution.quantity, execution.value, at=at)
    if not filled.is_open:
        return (filled,)
    match was:
        case OrderStatus.CANCELED:
            return filled, filled.cancel(at=at)
        case OrderStatus.EXPIRED:
            return filled, filled.expire(at=at)
        case OrderStatus.PENDING_CANCEL:
            return filled, filled.request_cancel(at=at)
    return (filled,)


def order_after_row(order: Order, row: BrokerOrder, *, is_day_over: bool, at: datetime) -> Order:
    """Bring an order, whose fills are booked, to the state that the broker's row proves.

    `is_day_over` says that the session has ended, so that what is still open has died (day orders). A row that
    is still open proves nothing about a cancel on its way: it may come late. Only the broker's refusal does.
    """
    if order.status is OrderStatus.SUBMITTED:
        order = order.accept(row.broker_order_id, branch=row.branch, at=at)
    if not order.is_open:
        return order
    is_whole = order.status in {OrderStatus.ACCEPTED, OrderStatus.PENDING_CANCEL}
    if row.status is OrderStatus.REJECTED and is_whole and not order.filled_quantity:
        return order.reject("EXCHANGE", "refused by the exchange after acceptance", at=at)
    if row.status is OrderStatus.CANCELED:
        return order.cancel(at=at)
    if is_day_over and order.filled_quantity == row.filled_quantity:
        return order_after_day(order, at=at)
    return order


def order_after_day(order: Order, *, at: datetime) -> Order:
    """Close an open order whose day has ended: cancelled if that was asked for, else expired."""
    is_leaving = order.status is OrderStatus.PENDING_CANCEL
    return order.cancel(at=at) if is_leaving else order.expire(at=at)


def _told_time(notice: Notice, trading_day: date) -> datetime | None:
    """Read the notice's HHMMSS on the trading day as an aware time; None when it says none."""
    try:
        time = datetime.strptime(notice.time_text, "%H%M%S").time()  # noqa: DTZ007 - the zone follows
    except ValueError:
        return None
    return datetime.combine(trading_day, time, KST).astimezone(notice.received_at.tzinfo)


def _covers(execution: Execution, at: datetime) -> bool:
    is_inquiry = execution.source is ExecutionSource.INQUIRY
    return is_inquiry and at <= execution.executed_at + CLOCK_MARGIN


def _execution(
    order: Order,
    quantity: int,
    value: int,
    terms: Terms,
    *,
    at: datetime,
    identity: str,
    source: ExecutionSource,
) -> Execution:
    instrument = terms.instrument
    charges = terms.costs.charges_on(
        value,
        order.side,
        market=instrument.market,
        kind=instrument.kind,
        settles_on=terms.settles_on,
        before=order.filled_value,
    )
    return Execution(
        execution_id=identity,
        client_order_id=order.client_order_id,
        broker_order_id=order.broker_order_id,
        account=order.intent.account,
        strategy_id=order.intent.strategy_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        value=value,
        commission=charges.commission,
        tax=charges.tax,
        cumulative_quantity=order.filled_quantity + quantity,
        trading_day=terms.trading_day,
        settles_on=terms.settles_on,
        executed_at=at,
        source=source,
    )
