"""This is the test of the look-ahead gate: every planted leak is found, no honest strategy is accused."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.lookahead import Leak, LeakKind, LookaheadReport, Supply, examine
from strategies.base import BarColumns, Decisions, Strategy
from strategies.evaluation import HALTED_DAYS_ALLOWED, bars_to_read
from strategies.moving_average import MovingAverageCross
from tests.bar_columns import A_MONDAY, columns_of
from tests.builders import LG_CHEM, SAMSUNG
from tests.planted_strategies import (
    CLEAN,
    LEAKS,
    WARM_UP,
    Neighbour,
    Planted,
    after,
    cheat,
    enter,
)

BARS = 140
SUPPLY = Supply(kept=272)


def a_history(seed: int = 20180116, bars: int = BARS) -> BarColumns:
    """Give bars of a price that wanders, on weekdays."""
    random = np.random.default_rng(seed)
    close = np.round(50_000 * np.exp(np.cumsum(random.normal(0, 0.02, bars)))).astype(np.int64)
    opened = np.round(close * np.exp(random.normal(0, 0.01, bars))).astype(np.int64)
    spread = random.integers(0, 500, (2, bars))
    days = np.arange(A_MONDAY.toordinal(), A_MONDAY.toordinal() + 2 * bars)
    return BarColumns(
        days=days[(days - 1) % 7 < 5][:bars],
        open=opened,
        high=np.maximum(opened, close) + spread[0],
        low=np.minimum(opened, close) - spread[1],
        close=close,
        volume=random.integers(1_000, 9_000, bars),
    )


def tried(strategy: Strategy, supply: Supply = SUPPLY) -> LookaheadReport:
    """Examine on one history."""
    return examine(strategy, {LG_CHEM: a_history()}, supply=supply)


def found(strategy: Strategy, kind: LeakKind) -> Leak:
    """Give the leak of a kind, which must be there."""
    (leak,) = [leak for leak in tried(strategy).leaks if leak.kind is kind]
    return leak


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found(name: str) -> None:
    _, kind = LEAKS[name]
    report = tried(cheat(name))
    assert not report.is_clean
    assert kind in [leak.kind for leak in report.leaks]


@pytest.mark.parametrize("strategy", CLEAN.values(), ids=CLEAN.keys())
def test_an_honest_strategy_passes(strategy: Strategy) -> None:
    report = tried(strategy)
    assert report.leaks == ()
    assert report.is_clean
    assert report.bars == BARS - strategy.warm_up + 1


def test_at_least_twenty_ways_to_cheat_and_ten_to_be_honest_are_tried() -> None:
    assert len(LEAKS) >= 20
    assert len(CLEAN) >= 10


def test_a_leak_says_where_what_and_how_often() -> None:
    # Bar 30 (the warm-up) is the first that is tried; from it on, each bar but the last has a tomorrow.
    leak = found(
        Planted(decide=lambda c: enter(np.zeros(len(c)), next=after(c.close))),
        LeakKind.FUTURE_ADDED,
    )
    history = a_history()
    assert leak.symbol == LG_CHEM
    assert leak.figures["count"] == BARS - WARM_UP
    assert leak.figures["bars"] == BARS - WARM_UP + 1
    assert leak.figures["name"] == "next"
    assert (leak.figures["one"], leak.figures["other"]) == ("nan", f"{history.close[WARM_UP]:.6g}")
    assert str(leak.figures["day"]) == "2018-02-09"  # the 30th weekday from Monday 2018-01-01


def test_a_symbol_that_knows_the_future_of_the_one_asked_before_is_found() -> None:
    histories = {LG_CHEM: a_history(), SAMSUNG: a_history(seed=7)}
    leaks = examine(Planted(decide=Neighbour()), histories, supply=SUPPLY).leaks
    assert (LeakKind.REMEMBERED, SAMSUNG) in [(leak.kind, leak.symbol) for leak in leaks]


def test_a_leak_at_a_single_bar_is_found_wherever_it_is() -> None:
    history = a_history()
    for bar in (WARM_UP - 1, WARM_UP, BARS // 2, BARS - 2):

        def peeks_once(c: BarColumns, bar: int = bar) -> Decisions:
            flags = np.zeros(len(c), dtype=np.bool_)
            if len(c) > bar + 1 and (c.close[: bar + 1] == history.close[: bar + 1]).all():
                flags[bar] = True
            return enter(flags)

        strategy = Planted(decide=peeks_once, needed=WARM_UP)
        leaks = examine(strategy, {LG_CHEM: history}, supply=SUPPLY).leaks
        assert leaks[0].kind is LeakKind.FUTURE_ADDED
        assert leaks[0].figures["count"] == 1


def test_the_shuffle_finds_what_these_bars_would_hide() -> None:
    """Where prices only rise, tomorrow is always higher, so adding a bar changes nothing."""
    rising = columns_of(range(1_000, 1_000 + 60))
    peeking = Planted(decide=lambda c: enter(~(after(c.close) < c.close)), needed=5)
    kinds = [leak.kind for leak in examine(peeking, {LG_CHEM: rising}, supply=SUPPLY).leaks]
    assert kinds == [LeakKind.FUTURE_SHUFFLED]


@pytest.mark.parametrize(("warm_up", "is_reached"), [(134, True), (135, False)])
def test_a_warm_up_beyond_the_brokers_pages_is_a_leak(warm_up: int, *, is_reached: bool) -> None:
    strategy = Planted(decide=lambda c: enter(np.zeros(len(c))), needed=warm_up)
    leaks = tried(strategy, Supply(kept=134)).leaks
    expected = {"needed": 135, "given": 134, "pages": 2}
    assert leaks == (() if is_reached else (Leak(LeakKind.OUT_OF_REACH, "", expected),))


def test_the_past_is_cut_to_what_live_may_find() -> None:
    # A new listing (the warm-up), what an evaluation reads, one page, two pages, all that is kept.
    assert bars_to_read(61) == 61 + HALTED_DAYS_ALLOWED == 121
    assert Supply(kept=272).windows(61) == (61, 100, 121, 200, 272)
    assert Supply(kept=272).windows(201) == (201, 261, 272)
    assert Supply(kept=50, page=20).windows(41) == (41, 50, 101)


@pytest.mark.parametrize(("needed", "is_enough"), [(29, False), (30, True), (31, True)])
def test_a_warm_up_that_is_one_bar_short_is_found(needed: int, *, is_enough: bool) -> None:
    def decide(c: BarColumns) -> Decisions:
        cross = MovingAverageCross(fast=5, slow=29, volume_window=1)
        return cross.evaluate(c)

    report = tried(Planted(decide=decide, needed=needed))
    assert (LeakKind.PAST_CUT not in [leak.kind for leak in report.leaks]) is is_enough


@pytest.mark.parametrize(("bars", "is_tried"), [(30, False), (31, True)])
def test_a_history_without_anything_to_try_is_not_clean(bars: int, *, is_tried: bool) -> None:
    honest = CLEAN["a moving-average cross"]
    report = examine(honest, {LG_CHEM: a_history(bars=bars)}, supply=SUPPLY)
    assert report.is_clean is is_tried
    assert [leak.kind for leak in report.leaks] == ([] if is_tried else [LeakKind.TOO_SHORT])
    assert not examine(honest, {}, supply=SUPPLY).is_clean


def test_a_strategy_that_raises_is_named_and_the_next_symbol_is_tried() -> None:
    def falls(c: BarColumns) -> Decisions:
        if c.close[0] == a_history().close[0]:
            raise ZeroDivisionError("by nought")
        return enter(np.zeros(len(c)))

    histories = {LG_CHEM: a_history(), SAMSUNG: a_history(seed=7)}
    strategy = Planted(decide=falls, needed=WARM_UP)
    (leak,) = examine(strategy, histories, supply=SUPPLY).leaks
    assert leak == Leak(LeakKind.FAILED, LG_CHEM, {"words": "ZeroDivisionError: by nought"})


def test_the_same_seed_finds_the_same() -> None:
    strategy = cheat("parameters fitted to all bars")
    assert tried(strategy) == tried(strategy)
