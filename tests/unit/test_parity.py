"""This is the test of parity: equal decisions are equal, and every won of a difference has its cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Happened, Stop, replay
from tests.builders import HYUNDAI, LG_CHEM, a_fill, an_accepted_order, seoul
from tests.recordings import (
    CALENDAR,
    DAYS,
    FIRST,
    a_recording,
    account,
    bars_of,
    causes,
    examined,
)
from trading.executions import Execution
from trading.halts import Halt, TradingState
from trading.manual_orders import MANUAL
from trading.orders import OrderStatus, Side

UP_AND_DOWN = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]
"""Bought at the opening of the 4th day (10,100), sold at that of the 7th (10,200), then nothing.

4,000,000 / (10,300 + charges) = 388 shares: bought for 3,918,800 and 587 commission, sold for 3,957,600, 593 and
5,936 of taxes twice.
"""
SHARES = 388


def with_fills(happened: Happened, *fills: Execution) -> Happened:
    """Let these be the fills."""
    return replace(happened, executions=fills)


def test_an_account_that_did_the_same_is_equal_to_the_won() -> None:
    report = examined(UP_AND_DOWN)
    assert report.is_equal
    assert [(d.direction, d.trigger, d.why) for d in report.decisions] == [
        ("ENTRY", "cross", Why.EQUAL),
        ("EXIT", "cross", Why.EQUAL),
    ]
    assert report.looks == 5
    assert report.money.actual == report.money.modelled == 38_800 - 587 - 593 - 2 * 5_936
    assert report.money.parts == ()
    assert [(h.sessions, h.modelled) for h in report.holdings] == [(4, 4)]


def test_a_worse_price_is_price() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        return with_fills(happened, replace(buy, value=buy.value + SHARES * 50), sell)

    report = examined(UP_AND_DOWN, change)
    assert causes(report) == {Cause.PRICE: -SHARES * 50}
    assert report.money.difference == -SHARES * 50
    assert report.is_equal


def test_a_later_sale_is_timing_and_its_charges_are_charges() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        later = replace(
            sell,
            trading_day=DAYS[7],
            executed_at=sell.executed_at + timedelta(days=1),
            value=SHARES * 10_000,
            commission=sell.commission - 11,
            tax=sell.tax - 232,
        )
        return with_fills(happened, buy, later)

    report = examined(UP_AND_DOWN, change)
    assert causes(report) == {Cause.TIMING: -SHARES * 200, Cause.FEES: 11, Cause.TAX: 232}
    assert [(h.sessions, h.modelled) for h in report.holdings] == [(5, 4)]


def test_a_fill_a_minute_after_the_opening_is_another_moment() -> None:
    for seconds, cause in ((60, Cause.PRICE), (61, Cause.TIMING)):

        def change(happened: Happened, seconds: int = seconds) -> Happened:
            buy, sell = happened.executions
            at = buy.executed_at + timedelta(seconds=seconds)
            return with_fills(happened, replace(buy, executed_at=at, value=buy.value + 100), sell)

        assert causes(examined(UP_AND_DOWN, change)) == {cause: -100}


def test_a_partial_fill_keeps_its_cause_until_the_shares_would_have_been_sold() -> None:
    """Of 388 shares 88 never came: they would have earned 100 won each, and cost charges."""

    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        return with_fills(happened, part(buy, 300), part(sell, 300))

    report = examined(UP_AND_DOWN, change)
    assert causes(report).keys() == {Cause.FILLS, Cause.FEES, Cause.TAX}
    assert report.money.of(Cause.FILLS) == -88 * 100
    assert report.money.unexplained == 0
    assert report.is_equal


def test_what_was_not_sold_counts_to_the_last_close() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        return with_fills(happened, buy, part(sell, 300))

    report = examined([*UP_AND_DOWN, 9_800], change)
    assert report.money.of(Cause.FILLS) == -88 * 400  # 10,200 then, 9,800 now
    assert report.money.unexplained == 0


def part(fill: Execution, quantity: int) -> Execution:
    """Give a fill of fewer shares at the same price."""
    value = fill.value * quantity // fill.quantity
    return replace(
        fill,
        quantity=quantity,
        value=value,
        commission=fill.commission * quantity // fill.quantity,
        tax=fill.tax * quantity // fill.quantity,
    )


def test_an_entry_that_the_gate_refused_is_a_denial() -> None:
    def change(happened: Happened) -> Happened:
        buy = happened.orders[0]
        denied = replace(buy, status=OrderStatus.DENIED, filled_quantity=0, filled_value=0)
        return replace(happened, signals=happened.signals[:1], orders=(denied,), executions=())

    report = examined(UP_AND_DOWN, change)
    assert report.money.of(Cause.DENIAL) == -SHARES * 100
    assert report.money.unexplained == 0
    assert report.is_equal  # with nothing held, no exit is due


def test_a_smaller_order_is_size() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        orders = tuple(
            replace(o, intent=replace(o.intent, quantity=200), filled_quantity=200)
            for o in happened.orders
        )
        return replace(happened, orders=orders, executions=(part(buy, 200), part(sell, 200)))

    report = examined(UP_AND_DOWN, change)
    assert report.money.of(Cause.SIZE) == -188 * 100
    assert report.money.unexplained == 0


def test_a_signal_that_nobody_made_is_a_decision_that_differs() -> None:
    def change(happened: Happened) -> Happened:
        return replace(happened, signals=(), orders=(), executions=())

    report = examined(UP_AND_DOWN, change)
    (unequal,) = report.unequal
    assert (unequal.direction, unequal.trading_day, unequal.why) == ("ENTRY", FIRST, Why.NOT_MADE)
    assert report.money.of(Cause.DECISION) == -SHARES * 100
    assert report.money.unexplained == 0
    assert not report.is_equal


def test_a_signal_that_a_halt_prevented_says_so() -> None:
    halt = Halt("operator", TradingState.HALTED, "enough", seoul(FIRST, "07:00"))
    recording = a_recording({LG_CHEM: bars_of(UP_AND_DOWN)})
    for until, why in ((None, Why.HALTED), (seoul(FIRST, "08:00"), Why.NOT_MADE)):
        halted = replace(recording, stops=(Stop(halt, until),))
        (unequal,) = compare(halted, CALENDAR).unequal
        assert unequal.why is why


def test_a_signal_of_other_parameters_or_other_bars_is_named() -> None:
    def change(happened: Happened, **changes: object) -> Happened:
        entry, leaving = happened.signals
        return replace(happened, signals=(replace(entry, **changes), leaving))  # type: ignore[arg-type] # fields of a signal

    for changes, why in (
        ({"parameter_hash": "another"}, Why.SETTINGS),
        ({"trading_day": DAYS[4], "reference_price": 9_000}, Why.BARS),
        ({"trading_day": DAYS[4], "reference_price": 10_200}, Why.HOLDING),
    ):
        report = examined(UP_AND_DOWN, lambda happened, c=changes: change(happened, **c))  # type: ignore[misc] # a default binds it
        assert why in [decision.why for decision in report.unequal]


def test_a_stop_that_nobody_heard_is_a_decision_that_differs() -> None:
    falling = [10_000, 10_000, 10_100, 10_100, 9_000, 9_000]

    def change(happened: Happened) -> Happened:
        buy, *_ = happened.executions
        entries = [s for s in happened.signals if s.direction == "ENTRY"]
        orders = tuple(o for o in happened.orders if o.side is Side.BUY)
        return Happened(tuple(entries), orders, (buy,), happened.closing)

    report = examined(falling, change)
    missed = report.unequal[0]
    assert (missed.trigger, missed.trading_day) == ("stop", DAYS[4])
    assert report.money.unexplained == 0


def test_trades_by_hand_are_manual_with_their_charges() -> None:
    hand = replace(
        a_fill(an_accepted_order(client_order_id="hand"), quantity=10, price=10_000, at=seoul(FIRST, "10:00")),
        strategy_id=MANUAL,
        commission=15,
        trading_day=FIRST,
    )  # fmt: skip
    report = examined(UP_AND_DOWN, lambda h: with_fills(h, *h.executions, hand))
    assert causes(report) == {Cause.MANUAL: 10 * 200 - 15}
    assert report.is_equal


def test_shares_taken_over_count_from_what_they_were_worth_then() -> None:
    recording = account(a_recording({LG_CHEM: bars_of(UP_AND_DOWN)}, taken_over=90_000))
    book = recording.actual.closing.adopt(LG_CHEM, quantity=10, cost=90_000)
    report = compare(replace(recording, actual=replace(recording.actual, closing=book)), CALENDAR)
    assert causes(report) == {Cause.MANUAL: 10 * 10_200 - 90_000}
    assert report.money.unexplained == 0


def test_a_won_that_no_fill_explains_is_told() -> None:
    recording = account(a_recording({LG_CHEM: bars_of(UP_AND_DOWN)}))
    book = recording.actual.closing.deposit(-1, on=FIRST)  # a charge that nobody booked as one
    report = compare(replace(recording, actual=replace(recording.actual, closing=book)), CALENDAR)
    assert report.money.unexplained == -1
    assert not report.is_equal


def test_what_was_held_before_the_first_day_is_held_in_both() -> None:
    recording = a_recording({LG_CHEM: bars_of(UP_AND_DOWN)})
    buy, sell = replay(recording, CALENDAR).executions
    opening = recording.opening.deposit(10_000_000, on=FIRST).post(buy)
    (plan,) = recording.plans
    later = replace(plan, first=DAYS[5], opening=opening, past=(buy,), deposits={})
    happened = replay(replace(recording, plans=(later,)), CALENDAR)
    assert [(e.side, e.quantity, e.value) for e in happened.executions] == [
        (Side.SELL, sell.quantity, sell.value)
    ]
    report = compare(replace(recording, plans=(later,), actual=happened), CALENDAR)
    assert report.is_equal
    assert [d.direction for d in report.decisions] == ["EXIT"]


STEPS = st.lists(st.integers(-400, 400), min_size=8, max_size=14)
TAMPERING = st.lists(
    st.tuples(st.integers(0, 100), st.integers(-300, 300), st.booleans()), min_size=16, max_size=16
)
SPLITS = st.tuples(
    st.integers(0, 14),
    st.sampled_from([Fraction(1, 50), Fraction(1, 2), Fraction(2, 3), Fraction(5)]),
)
"""On which day a share becomes others, and what prices before it are multiplied with."""


@settings(max_examples=40)
@given(STEPS, STEPS, TAMPERING, st.integers(0, 90), SPLITS)
def test_whatever_an_account_did_no_won_is_left_unexplained(
    one: list[int],
    other: list[int],
    tampering: list[tuple[int, int, bool]],
    late: int,
    split: tuple[int, Fraction],
) -> None:
    bars = {
        symbol: bars_of([10_000, 10_000, *(_path(steps))], symbol)
        for symbol, steps in ((LG_CHEM, one), (HYUNDAI, other))
    }

    def change(happened: Happened) -> Happened:
        held: dict[tuple[str, str], int] = {}
        fills = []
        for fill, (share, price, is_by_hand) in zip(happened.executions, tampering, strict=False):
            owner = (LG_CHEM if fill.symbol == LG_CHEM else HYUNDAI, MANUAL if is_by_hand else "")
            limit = fill.quantity if fill.side is Side.BUY else held.get(owner, 0)
            quantity = min(fill.quantity * share // 100, limit)
            if not quantity:
                continue
            sign = 1 if fill.side is Side.BUY else -1
            held[owner] = held.get(owner, 0) + sign * quantity
            done = part(fill, quantity)
            fills.append(
                replace(
                    done,
                    value=done.value + quantity * price,
                    executed_at=done.executed_at + timedelta(minutes=late),
                    strategy_id=MANUAL if is_by_hand else done.strategy_id,
                )
            )
        kept = happened.signals[:: 2 if tampering[0][2] else 1]
        return replace(happened, signals=kept, executions=tuple(fills))

    place, scale = split
    scales = {(LG_CHEM, day): scale for day in DAYS[:place]}
    report = compare(account(a_recording(bars, scales=scales), change), CALENDAR)
    assert report.money.unexplained == 0


def _path(steps: list[int]) -> list[int]:
    price, path = 10_000, []
    for step in steps:
        price = max(price + step // 10 * 10, 5_000)
        path.append(price)
    return path
