"""This is the proof that whatever broker, line, socket and processes do, both books are one book in the end.

The real tasks work on the stores in memory, against a broker that is a plain book (`tests.broker_books`): orders
go out over a line that loses them or their receipts, processes die in mid-order, rows show late or not at all,
notices come twice, in any order or never, the owner orders by hand. The book is checked at every commit
(`tests.desks.check_book`), everything else after every step.

`STEPS` (environment, 2,500 unless given) says how many steps to make; `make properties` makes 100,000.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
import structlog
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tasks.cancellations import cancel_order, modify_order
from tasks.readiness import make_ready
from tasks.reconciliation import reconcile
from tasks.rulings import bind_by_hand, declare_absent_by_hand
from tests.book_worlds import TALLY, BookWorld
from tests.broker_books import Line
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal, an_intent, seoul
from tests.desks import PRICES
from tests.machines import make_runs
from trading.errors import BrokerError, Rejected
from trading.instruments import Symbol
from trading.krx import tick_size
from trading.notices import NoticeKind
from trading.orders import OPEN_STATUSES, OrderStatus, Side
from trading.signals import Direction

STEPS: Final = int(os.environ.get("STEPS", "2500"))
SYMBOLS: Final = st.sampled_from([LG_CHEM, SAMSUNG, HYUNDAI])
STRATEGIES: Final = st.sampled_from(["trend", "swing"])
LINES: Final = st.sampled_from([Line.ANSWERED, Line.ANSWERED, *Line])
DELAYS: Final = st.sampled_from([0, 0, 5, 90, 300]).map(lambda n: timedelta(seconds=n))
"""How late a row shows: 300 seconds at most, which is what the rule of absence reckons with."""
CLOCKS: Final = st.sampled_from([0, 0, -2, 6]).map(lambda n: timedelta(seconds=n))
"""How far the broker's clock is ahead; one that is further behind leaves a doubt to a person (test_clocks_apart)."""
PLACE: Final = st.integers(0, 63)
MANY: Final = 50_000
"""After so many steps everything that is expected has happened."""


class Books(BookWorld):
    """Anything that a broker, a line, a socket, a process and an owner can do, in any order."""

    @initialize(ahead=CLOCKS)
    def open(self, ahead: timedelta) -> None:
        """Come to the desk: the opening balance is taken over. The broker's clock is never quite ours."""
        self.book.ahead = ahead
        self.carry_out(reconcile.fn(self.desk))

    # -- our orders

    @rule(
        strategy=STRATEGIES,
        symbol=SYMBOLS,
        trigger=st.sampled_from(["cross", "gap"]),
        strength=st.sampled_from([Decimal(1), Decimal("0.5")]),
        line=LINES,
        delay=DELAYS,
    )
    def enter(
        self,
        *,
        strategy: str,
        symbol: Symbol,
        trigger: str,
        strength: Decimal,
        line: Line,
        delay: timedelta,
    ) -> None:
        """Act on an entry over a line that may fail; the row may show late."""
        signal = a_signal(strategy_id=strategy, symbol=symbol, trigger=trigger, strength=strength)
        self.trade(signal, line, delay)

    @rule(
        strategy=STRATEGIES,
        symbol=SYMBOLS,
        trigger=st.sampled_from(["stop", "target"]),
        line=LINES,
        delay=DELAYS,
    )
    def leave(
        self, *, strategy: str, symbol: Symbol, trigger: str, line: Line, delay: timedelta
    ) -> None:
        """Act on an exit."""
        signal = a_signal(strategy_id=strategy, symbol=symbol, trigger=trigger)
        self.trade(replace(signal, direction=Direction.EXIT), line, delay)

    @rule(strategy=STRATEGIES, symbol=SYMBOLS, part=st.integers(1, 100))
    def enter_and_fill_before_the_reply(self, *, strategy: str, symbol: Symbol, part: int) -> None:
        """Let fills and their notices overtake the receipt."""

        def overtake() -> None:
            self.book.before_reply = None
            self.fill_part(self.book.of_today()[-1], part)
            self.hear(self.wire[-1])

        self.book.before_reply = overtake
        self.trade(a_signal(strategy_id=strategy, symbol=symbol), Line.ANSWERED, timedelta())
        self.book.before_reply = None

    @rule(place=PLACE, line=LINES)
    def cancel(self, *, place: int, line: Line) -> None:
        """Cancel one of our open orders over a line that may fail."""
        if order := self.one_of_ours(place):
            self.send(line, cancel_order, order.client_order_id, reason="as told")
            TALLY[f"cancel, {line}"] += 1

    @rule(place=PLACE, line=LINES, price=st.sampled_from([-2, -1, 1]), part=st.integers(1, 100))
    def modify(self, *, place: int, line: Line, price: int, part: int) -> None:
        """Change price and quantity of one of our open limit orders over a line that may fail."""
        order = self.one_of_ours(place)
        if order and order.intent.limit_price:
            tick = tick_size(order.intent.limit_price, on=self.desk.today())
            changes = {
                "price": order.intent.limit_price + price * tick,
                "quantity": max(1, order.quantity * part // 100),
            }
            self.send(line, modify_order, order.client_order_id, **changes)
            TALLY[f"modify, {line}"] += 1

    @rule(place=PLACE)
    def end_a_doubt_by_hand(self, *, place: int) -> None:
        """Let the operator, who has looked at HTS, end an order's doubt by the two commands."""
        doubtful = [order for order in self.orders if order.is_in_doubt]
        if not doubtful:
            return
        order = doubtful[place % len(doubtful)]
        entries = self.book.entries.values()
        rows = [
            e.row for e in entries if e.owner == order.client_order_id and not e.row.original_id
        ]
        words = (self.desk, order.client_order_id)
        if rows:
            ruling = bind_by_hand(*words, rows[0].broker_order_id, reason="seen in HTS")
        else:
            ruling = declare_absent_by_hand(*words, reason="not to be seen in HTS")
        self.carry_out_over(Line.ANSWERED, ruling)
        TALLY["ended by hand, " + ("bound" if rows else "absent")] += 1

    # -- the market, the exchange and the owner

    @rule(place=PLACE, part=st.integers(1, 100))
    def fill(self, *, place: int, part: int) -> None:
        """Fill part of an open order; its notice is on the wire."""
        if entries := self.book.open_entries():
            self.fill_part(entries[place % len(entries)], part)

    @rule(place=PLACE)
    def cancel_by_hand(self, *, place: int) -> None:
        """Let the owner cancel an order in HTS."""
        if entries := self.book.open_entries():
            cancel = self.book.close(entries[place % len(entries)])
            quantity = cancel.quantity
            told = self.book.notice(cancel, NoticeKind.CANCELED, quantity=quantity, price=0)
            self.wire.append(told)
            TALLY["canceled by hand"] += 1

    @rule(place=PLACE)
    def refuse_later(self, *, place: int) -> None:
        """Let the exchange refuse what the broker took."""
        fresh = [entry for entry in self.book.open_entries() if not entry.row.filled_quantity]
        if fresh:
            entry = fresh[place % len(fresh)]
            self.book.refuse_later(entry)
            row, kind = entry.row, NoticeKind.REJECTED
            self.wire.append(self.book.notice(row, kind, quantity=row.quantity, price=0))
            TALLY["refused later"] += 1

    @rule(symbol=SYMBOLS, side=st.sampled_from(Side), quantity=st.integers(1, 50), place=PLACE)
    def order_by_hand(self, *, symbol: Symbol, side: Side, quantity: int, place: int) -> None:
        """Let the owner order in HTS; often exactly what we ordered last."""
        intent = an_intent(symbol=symbol, side=side, quantity=quantity, limit_price=PRICES[symbol])
        if place % 2 and self.book.sent:
            intent = self.book.sent[-1]
        try:
            self.book.take(intent, owner="", is_ours=False)
            TALLY["by hand"] += 1
        except Rejected:
            TALLY["by hand, refused"] += 1

    # -- what we hear

    @rule(place=PLACE, times=st.integers(1, 2))
    def hear_one(self, *, place: int, times: int) -> None:
        """Let any notice of the wire arrive, once or twice."""
        if self.wire:
            notice = self.wire.pop(place % len(self.wire))
            for _ in range(times):
                self.hear(notice)

    @rule(place=PLACE)
    def hear_one_that_comes_again_later(self, *, place: int) -> None:
        """Let a notice arrive and stay on the wire."""
        if self.wire:
            self.hear(self.wire[place % len(self.wire)])

    @rule(place=PLACE)
    def lose_a_notice(self, *, place: int) -> None:
        """Let a notice never arrive."""
        if self.wire:
            self.wire.pop(place % len(self.wire))
            TALLY["notice lost"] += 1

    @rule(lag=st.sampled_from([0, 0, 10, 60]), is_blank=st.booleans(), times=st.integers(1, 2))
    def inquire(self, *, lag: int, is_blank: bool, times: int) -> None:
        """Ask for the broker's book: as it is, as it was, or a blank page; the same answer may come again."""
        self.book.lag, self.book.is_blank = timedelta(seconds=lag), is_blank and lag == 10
        for _ in range(times):
            self.carry_out(reconcile.fn(self.desk))
        self.book.lag, self.book.is_blank = timedelta(), False

    @rule()
    def start_anew(self) -> None:
        """Start as a new process does."""
        self.carry_out_over(Line.ANSWERED, make_ready(self.desk))

    @rule()
    def inquire_too_fast(self) -> None:
        """Be refused an inquiry: that is no empty book."""
        self.book.is_throttled = True
        with pytest.raises(BrokerError):
            self.carry_out(reconcile.fn(self.desk))
        self.book.is_throttled = False

    # -- time

    @rule(seconds=st.sampled_from([1, 5, 20, 60, 120]))
    def wait(self, seconds: int) -> None:
        """Let time pass, but stay within the session."""
        at = self.clock.now() + timedelta(seconds=seconds)
        if at < seoul(self.desk.today(), "15:00"):
            self.clock.move_to(at)

    @rule(place=PLACE)
    def sleep_over_night(self, *, place: int) -> None:
        """End the day, now and then; nothing of the wire is ever sent again."""
        if place % 4:
            return
        self.end_day(is_shown=place % 8 == 0)
        self.begin_day()
        TALLY["nights"] += 1

    # -- what must always hold

    @invariant()
    def everything_is_in_order(self) -> None:
        """Hold against the broker's truth, after every step."""
        TALLY["steps"] += 1
        orders = self.orders
        self.nothing_is_sent_twice(orders)
        self.nothing_is_counted_that_did_not_happen(orders)
        self.no_order_is_declared_absent_that_is_there(orders)
        self.doubt_and_equal_orders_stand_alone(orders)

    def teardown(self) -> None:
        """Let the day end and all rows show: both books must be one."""
        try:
            self.end_day(is_shown=True)
            self.begin_day()
            self.carry_out(reconcile.fn(self.desk))
            self.check_books_are_one()
        finally:
            self.runner.close()
            self.folder.cleanup()


@pytest.fixture
def silence() -> Iterator[None]:
    """Let the log say nothing: a hundred thousand steps tell a lot."""
    deaf = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=deaf)
    yield
    structlog.reset_defaults()


PASSING: Final = {OrderStatus.INITIALIZED, *OPEN_STATUSES}
EXPECTED: Final = {
    "filled",
    "killed",
    "by hand",
    "canceled by hand",
    "refused later",
    "notice lost",
    "notice APPLIED",
    "notice NEEDS_INQUIRY",
    "notice UNKNOWN_ORDER",
    "nights",
    *(f"sent, {line}" for line in Line),
    *(f"ended {status}" for status in OrderStatus if status not in PASSING),
    "ended ABSENT",
    "bound after doubt",
    "ended by hand, bound",
    "ended by hand, absent",
}


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("silence")
def test_both_books_are_one_whatever_happens(capsys: pytest.CaptureFixture[str]) -> None:
    TALLY.clear()
    while TALLY["steps"] < STEPS:
        make_runs(Books, STEPS - TALLY["steps"])
    with capsys.disabled():
        told = dict(sorted(TALLY.items()))
        print(f"\n{TALLY['steps']:,} steps in {TALLY['runs']:,} runs: {told}")  # noqa: T201 - the proof's figure
    assert TALLY["steps"] >= STEPS
    assert set(+TALLY) >= (EXPECTED if STEPS >= MANY else {"filled"})
