"""This is the plan of a reconciliation (대사 계획): named steps, each of them proven by the broker's book.

A plan is made from what is known, and made again for each order under its lock when it is carried out, by the
same functions: what a notice has booked meanwhile is not booked twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.bookings import (
    Terms,
    execution_from_row,
    order_after_day,
    order_after_row,
    orders_after_fill,
)
from trading.broker_books import BrokerOrder
from trading.doubts import Ruling, Verdict
from trading.executions import Execution
from trading.orders import ABSENT, Order, OrderStatus

NEVER_FILLED = "NEVER_FILLED"
"""The error code of an order in doubt whose day ended without a fill that could be its own."""


class Act(StrEnum):
    """What a step does."""

    OPEN = "OPEN"
    """Take over cash and holdings into an empty book."""
    BIND = "BIND"
    """Give an order in doubt the number of the only row that can be it."""
    ABSENT = "ABSENT"
    """Close an order in doubt that is proven not to be there."""
    FIND = "FIND"
    """Bind a row to an order that had been declared absent (late match)."""
    ADOPT = "ADOPT"
    """Write down an order by hand that has traded."""
    BOOK = "BOOK"
    """Book what the row proves beyond our fills."""
    CLOSE = "CLOSE"
    """Close an order as its row shows it: cancelled or refused."""
    EXPIRE = "EXPIRE"
    """Close what the day's end left open."""
    CANCEL = "CANCEL"
    """Ask for the cancel of an order that was found too late."""
    QUARANTINE = "QUARANTINE"
    """Stop one symbol whose books differ."""
    RELEASE = "RELEASE"
    """Let a symbol trade again whose books agree again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `subject` is an order or a symbol; `states` are those that it leads an order through."""

    act: Act
    subject: str
    detail: str
    states: tuple[Order, ...] = ()
    execution: Execution | None = None

    @property
    def order(self) -> Order:
        """The order as it stands after the step; only steps on orders have one."""
        return self.states[-1]


@dataclass(frozen=True, slots=True)
class BrokerDay:
    """The broker's rows of one day, read at `at`, modifications folded into the order that they changed.

    `is_over`: the session has ended and its fills are in. `is_past`: another day has begun, so that what the
    rows do not show will hardly come.
    """

    day: date
    rows: tuple[BrokerOrder, ...]
    at: datetime
    is_over: bool
    is_past: bool

    def row(self, broker_order_id: str) -> BrokerOrder | None:
        """Give the row of a number."""
        return next((r for r in self.rows if r.broker_order_id == broker_order_id), None)


def follow_row(
    order: Order, row: BrokerOrder, terms: Terms, *, is_day_over: bool, at: datetime
) -> tuple[Step, ...]:
    """Bring an order to what its row proves: its fills, then its state.

    Raises:
        InvalidTransition: when the row shows more than was ordered.
    """
    steps = []
    execution = execution_from_row(order, row, terms, at=at)
    if execution is not None:
        steps.append(booking(order, execution))
        order = steps[-1].order
    after = order_after_row(order, row, is_day_over=is_day_over, at=at)
    if after != order:
        steps.append(_closing(after))
    return tuple(steps)


def booking(order: Order, execution: Execution) -> Step:
    """Book one fill, told by a row or by a notice.

    Raises:
        InvalidTransition: when more would be filled than was ordered.
    """
    detail = f"{execution.quantity} @ {execution.price:.2f} KRW"
    states = orders_after_fill(order, execution)
    return Step(Act.BOOK, order.client_order_id, detail, states, execution)


def end_past_day(order: Order, *, is_proven: bool, at: datetime) -> tuple[Step, ...]:
    """Close what an earlier day left open: no order outlives its day.

    `is_proven`: our shares of the symbol are the broker's, so that no fill can be missing; rows that are empty
    for a while prove nothing.
    """
    if not order.is_open or not is_proven:
        return ()
    if order.is_in_doubt:
        words = "its day is over, and the broker holds what we hold"
        after = order.reject(NEVER_FILLED, words, at=at)
        return (Step(Act.ABSENT, order.client_order_id, words, (after,)),)
    return (_closing(order_after_day(order, at=at)),)


def follow_verdict(order: Order, verdict: Verdict, *, at: datetime) -> tuple[Step, ...]:
    """Carry out what a scan has decided about an order in doubt."""
    match verdict.ruling, verdict.rows:
        case Ruling.BIND, (row,):
            return (bind(order, row, at=at),)
        case Ruling.ABSENT, _:
            return (declare_absent(order, verdict.ground.value, at=at),)
    return ()


def bind(order: Order, row: BrokerOrder, *, at: datetime) -> Step:
    """Give an order in doubt a row."""
    after = order.accept(row.broker_order_id, branch=row.branch, at=at)
    return Step(Act.BIND, order.client_order_id, row.broker_order_id, (after,))


def declare_absent(order: Order, proof: str, *, at: datetime) -> Step:
    """Close an order in doubt as not accepted."""
    after = order.reject(ABSENT, proof, at=at)
    return Step(Act.ABSENT, order.client_order_id, proof, (after,))


def follow_late_match(
    order: Order, found: Iterable[BrokerOrder], *, cancels: bool, at: datetime
) -> tuple[Step, ...]:
    """Bind the only row that an order declared absent can be, and ask for its cancel if it is open."""
    match tuple(found):
        case (row,):
            after = order.find(row.broker_order_id, branch=row.branch, at=at)
            steps = [Step(Act.FIND, order.client_order_id, row.broker_order_id, (after,))]
            if cancels and row.open_quantity:
                asked = after.request_cancel(at=at)
                detail = f"{row.open_quantity} open"
                steps.append(Step(Act.CANCEL, order.client_order_id, detail, (asked,)))
            return tuple(steps)
    return ()


def is_absent(order: Order) -> bool:
    """Tell whether an order was declared absent."""
    return (order.status, order.error_code) == (OrderStatus.REJECTED, ABSENT)


def _closing(after: Order) -> Step:
    act = Act.EXPIRE if after.status is OrderStatus.EXPIRED else Act.CLOSE
    return Step(act, after.client_order_id, after.status.value, (after,))
