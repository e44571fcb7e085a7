"""This is one order whose fills are told by notices and rows in any order: never over-counted, equal in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import A_DAY, an_accepted_order, seoul
from tests.unit.test_bookings import NUMBER, TERMS, a_notice, a_row
from trading.bookings import Postponed, execution_from_notice, orders_after_fill
from trading.executions import Execution
from trading.notices import Notice
from trading.orders import Order
from trading.plans import follow_row
from trading.sessions import KST

ORDERED = 20
OPENED_AT = seoul(A_DAY, "10:00:00")


@dataclass
class Account:
    """The broker's truth over time, and our book of it."""

    at: datetime = OPENED_AT
    totals: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    notices: list[Notice] = field(default_factory=list)
    order: Order = field(default_factory=lambda: an_accepted_order(NUMBER, quantity=ORDERED))
    booked: list[Execution] = field(default_factory=list)

    def fill(self, quantity: int, price: int) -> None:
        """Let the order trade at the broker's, if so much of it is left."""
        filled, value = self.totals[-1]
        if filled + quantity <= ORDERED:
            self.totals.append((filled + quantity, value + quantity * price))
            time = f"{self.at.astimezone(KST):%H%M%S}"
            self.notices.append(replace(a_notice(quantity, price, time), received_at=self.at))

    def hear(self, index: int, *, is_garbled: bool) -> None:
        """Let one of the notices so far arrive, again or late, with or without a readable time."""
        if not self.notices:
            return
        notice = replace(self.notices[index % len(self.notices)], received_at=self.at)
        if is_garbled:
            notice = replace(notice, time_text="")
        found = execution_from_notice(self.order, self.booked, notice, TERMS)
        if not isinstance(found, Postponed):
            self.order = orders_after_fill(self.order, found)[-1]
            self.booked.append(found)

    def inquire(self, lag: int) -> None:
        """Read the row as it was `lag` fills ago; at the very beginning it is empty."""
        filled, value = self.totals[max(0, len(self.totals) - 1 - lag)]
        row = a_row(filled, value, quantity=ORDERED)
        for step in follow_row(self.order, row, TERMS, is_day_over=False, at=self.at):
            self.order = step.order
            self.booked += [step.execution] if step.execution else []

    def check(self) -> None:
        """Never more than the truth, and our own sums agree."""
        assert self.order.filled_quantity <= self.totals[-1][0]
        assert self.order.filled_quantity == sum(fill.quantity for fill in self.booked)
        assert self.order.filled_value == sum(fill.value for fill in self.booked)
        assert len({fill.execution_id for fill in self.booked}) == len(self.booked)


FILLS = st.tuples(st.just("fill"), st.integers(1, 6), st.sampled_from([428_000, 428_500]))
NOTICES = st.tuples(st.just("hear"), st.integers(0, 30), st.booleans())
INQUIRIES = st.tuples(st.just("inquire"), st.integers(0, 5), st.none())
PAUSES = st.tuples(st.just("wait"), st.sampled_from([1, 2, 5, 30]), st.none())


@given(st.lists(st.one_of(FILLS, NOTICES, NOTICES, INQUIRIES, PAUSES), max_size=60))
def test_any_interleaving_converges_and_never_counts_too_much(
    events: list[tuple[str, int, int | bool | None]],
) -> None:
    """Incidents 6, 10 and 27: notices doubled, lost, late, equal within a second; rows late, empty, repeated."""
    account = Account()
    for act, number, detail in events:
        match act:
            case "fill":
                account.fill(number, int(detail or 0))
            case "hear":
                account.hear(number, is_garbled=bool(detail) and number % 3 == 0)
            case "inquire":
                account.inquire(number)
            case "wait":
                account.at += timedelta(seconds=number)
        account.check()
    for _ in range(2):
        account.inquire(0)
        account.check()
    assert (account.order.filled_quantity, account.order.filled_value) == account.totals[-1]
    for index in range(len(account.notices)):
        account.hear(index, is_garbled=False)
    assert (account.order.filled_quantity, account.order.filled_value) == account.totals[-1]
