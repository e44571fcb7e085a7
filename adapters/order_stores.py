"""This is what maemae asks of its memory about orders: their states, evidence, notices and fills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from trading.errors import BadInput
from trading.executions import Execution
from trading.instruments import Symbol
from trading.notices import Notice
from trading.orders import Order, OrderIntent
from trading.submissions import Search, Submission


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One line of an order's timeline."""

    client_order_id: str
    status: str
    at: datetime
    detail: str = ""


def check_owner(intent: OrderIntent, channel: str, account: str) -> None:
    """Make sure that an order is written where it belongs.

    Raises:
        BadInput: when it is another channel's or account's.
    """
    theirs = (intent.channel, intent.account)
    if theirs != (channel, account):
        raise BadInput("order", theirs, f"an order of {(channel, account)}")


def number_is_taken(broker_order_id: str) -> BadInput:
    """Make the error for a number of the broker that another order of the day has."""
    return BadInput(
        "broker_order_id", broker_order_id, "a number that no other order of the day has"
    )


def has_submission(client_order_id: str) -> BadInput:
    """Make the error for a second submission of one order: one order leaves once."""
    return BadInput("client_order_id", client_order_id, "an order without a submission")


class OrderStore(Protocol):
    """Orders and their timelines."""

    def add(self, order: Order, *later: Order, detail: str = "") -> bool:
        """Write a new order and the states it went through since, each with a line of timeline.

        False (and nothing written) when the client_order_id exists.

        Raises:
            BadInput: when it is another account's, or another order of the day has the broker's number.
        """
        ...

    def save(self, order: Order, *, detail: str = "") -> None:
        """Write the new state and one line of timeline.

        Raises:
            LookupError: when the order was never added.
            BadInput: when another order of the day has the broker's number.
        """
        ...

    def get(self, client_order_id: str) -> Order | None:
        """Give one; inside a unit of work the row stays locked until its end."""
        ...

    def by_broker_id(self, trading_day: date, broker_order_id: str) -> Order | None:
        """Give the order that the broker's number of that day belongs to; locked likewise."""
        ...

    def open(self) -> tuple[Order, ...]:
        """Give every open order, oldest first."""
        ...

    def of_day(self, trading_day: date) -> tuple[Order, ...]:
        """Give the day's orders, oldest first, denied ones included."""
        ...

    def timeline(self, client_order_id: str) -> tuple[OrderEvent, ...]:
        """Give the order's history."""
        ...


class SubmissionStore(Protocol):
    """What was known when each order left, and how far the search for it has come."""

    def add(self, submission: Submission) -> None:
        """Write, in the unit of work that saves the order as SUBMITTED.

        Raises:
            BadInput: when the order has one already.
            LookupError: when the order was never added.
        """
        ...

    def get(self, client_order_id: str) -> Submission | None:
        """Give one."""
        ...

    def note(self, client_order_id: str, search: Search) -> None:
        """Write how far the search has come.

        Raises:
            LookupError: when the order has no submission.
        """
        ...


class NoticeStore(Protocol):
    """Notices whose order number belongs to no order of ours yet: the buffer that survives a crash."""

    def keep(self, trading_day: date, notice: Notice) -> None:
        """Write; the same notice again (all fields but its arrival) changes nothing."""
        ...

    def waiting(self, trading_day: date) -> tuple[Notice, ...]:
        """Give the day's notices that wait, in order of arrival."""
        ...

    def drop(self, trading_day: date, broker_order_id: str) -> int:
        """Let go of a number's notices, because they were applied or are not ours; give how many."""
        ...


class ExecutionStore(Protocol):
    """Booked fills."""

    def add(self, execution: Execution) -> bool:
        """Write; False (and nothing written) when the execution_id exists."""
        ...

    def of_order(self, client_order_id: str) -> tuple[Execution, ...]:
        """Give an order's fills in order of booking."""
        ...

    def of_day(self, trading_day: date) -> tuple[Execution, ...]:
        """Give the day's fills in order of booking."""
        ...

    def all(self) -> tuple[Execution, ...]:
        """Give every fill of the account in order of booking."""
        ...

    def standing(self, symbol: Symbol | None = None) -> tuple[Execution, ...]:
        """Give the fills since each strategy's holding of each symbol was last flat, in order of booking.

        They are all that is needed to know what is held and what it cost, and do not grow with the years. Those
        of one `symbol` are quickly found.
        """
        ...
