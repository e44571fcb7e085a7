"""This is the test of the strategies beside the cross: each formula by hand, at its boundary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.lookahead import LeakKind, Supply, examine
from strategies.base import BarColumns, Decisions, Strategy
from strategies.breakout import Breakout
from strategies.indicators import floored_root, rolling_deviation, rolling_maximum, true_range
from strategies.momentum import Momentum
from strategies.registry import STRATEGIES, build_strategy
from strategies.rsi_reversal import RsiReversal
from strategies.volatility_target import VolatilityTarget
from tests.bar_columns import columns_of
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG
from trading.errors import InvalidSetting
from trading.instruments import Symbol


def entries(decisions: Decisions) -> list[int]:
    """Give the bars that enter."""
    return np.flatnonzero(decisions.entry).tolist()


def exits(decisions: Decisions) -> list[int]:
    """Give the bars that leave."""
    return np.flatnonzero(decisions.exit).tolist()


@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_parameter_is_described_and_bounded(kind: str) -> None:
    fields = STRATEGIES[kind].model_json_schema()["properties"]
    assert fields
    for name, field in fields.items():
        branches = field.get("anyOf", [field])
        assert field.get("description"), name
        is_bounded = any("minimum" in b or "exclusiveMinimum" in b for b in branches)
        assert is_bounded or field.get("type") == "boolean", name


@pytest.mark.parametrize("kind", STRATEGIES)
def test_no_bars_and_no_symbols_are_no_fault(kind: str) -> None:
    strategy = STRATEGIES[kind]()
    assert len(strategy.evaluate(columns_of([])).entry) == 0
    assert strategy.evaluate_all({}) == {}
    few = strategy.evaluate(columns_of(range(1_000, 1_005)))
    assert not few.entry.any()


# RSI reversal: 3 changes, enters from below 30, leaves at 60

RSI = RsiReversal(window=3, level=30, leave=60, trend=None)


def test_the_rsi_is_gains_in_a_hundred_of_all_moves() -> None:
    #          changes   -10  -10  -10   +6   +4   +10
    found = RSI.evaluate(columns_of([100, 90, 80, 70, 76, 80, 90]))
    # of the last three: 0/30, 6/26, 10/20, 20/20
    assert found.indicators["rsi"][3:].round(2).tolist() == [0.0, 23.08, 50.0, 100.0]
    assert entries(found) == [5]
    assert exits(found) == [6]


@pytest.mark.parametrize(("gain", "enters"), [(8, False), (9, True), (10, True)])
def test_an_rsi_of_exactly_the_level_has_come_back(gain: int, *, enters: bool) -> None:
    # Down 11, down 10, up `gain`: 9 of 30 is an RSI of exactly 30; before, there was no gain.
    closes = [100, 90, 79, 69, 69 + gain]
    assert len(closes) == RSI.warm_up
    assert (Fraction(100 * gain, gain + 21) >= 30) is enters
    assert entries(RSI.evaluate(columns_of(closes))) == ([4] if enters else [])


@pytest.mark.parametrize(("gain", "leaves"), [(14, False), (15, True), (16, True)])
def test_an_rsi_of_exactly_the_exit_level_has_recovered(gain: int, *, leaves: bool) -> None:
    # Up 0, down 10, up `gain`: 15 of 25 is 60.
    assert exits(RSI.evaluate(columns_of([100, 100, 90, 90 + gain]))) == ([3] if leaves else [])


def test_prices_that_stand_still_say_nothing() -> None:
    found = RSI.evaluate(columns_of([100] * 8))
    assert entries(found) == exits(found) == []


def test_a_reversal_below_its_trend_is_not_entered() -> None:
    closes = [100, 90, 80, 70, 76, 80]
    assert entries(RsiReversal(window=3, trend=5).evaluate(columns_of(closes))) == [5]
    # The average of the last six is 82.67, of the last five 79.2.
    assert entries(RsiReversal(window=3, trend=6).evaluate(columns_of(closes))) == []


# Breakout: band of 4 closes, trailing level of 2 ranges

BREAK = Breakout(window=4, width=Decimal(1), range_window=2, trail=Decimal(2))


@pytest.mark.parametrize(("close", "enters"), [(101, True), (100, False), (99, False)])
def test_a_close_above_the_band_enters(close: int, *, enters: bool) -> None:
    # 100 four times and then 101: average 100.25, deviation 0.433: 101 is above 100.683.
    found = BREAK.evaluate(columns_of([100, 100, 100, 100, close]))
    assert entries(found) == ([4] if enters else [])


@pytest.mark.parametrize(("close", "enters"), [(104, False), (105, True)])
def test_the_band_is_compared_in_whole_numbers(close: int, *, enters: bool) -> None:
    # Four closes times four: at 104 12 above the sum against a deviation of 13, at 105 15 against 14.
    closes = [100, 104, 96, 100, close]
    last = closes[1:]
    deviation = isqrt(4 * sum(c * c for c in last) - sum(last) ** 2)
    assert (4 * close - sum(last), deviation) == ((15, 14) if enters else (12, 13))
    assert entries(BREAK.evaluate(columns_of(closes))) == ([4] if enters else [])


def test_a_close_that_stays_above_the_band_enters_once() -> None:
    found = BREAK.evaluate(columns_of([100, 100, 100, 100, 101, 120, 150]))
    assert entries(found) == [4]


@pytest.mark.parametrize(("trail", "leaves"), [("0.89", True), ("0.90", False), ("0.91", False)])
def test_it_leaves_so_many_ranges_below_the_highest_close(trail: str, *, leaves: bool) -> None:
    # Each bar goes 5 up and down from its close, 10 in all; 98 is 9 below 107, the highest of four.
    close = np.array([110, 107, 104, 101, 98], dtype=np.int64)
    bars = BarColumns(np.arange(1, 6), close, close + 5, close - 5, close, close)
    strategy = Breakout(window=4, range_window=2, trail=Decimal(trail))
    assert exits(strategy.evaluate(bars)) == ([4] if leaves else [])


CLOSES = st.lists(st.integers(1, 10_000_000), min_size=1, max_size=40)
PARTS_OF_A_WON = st.lists(st.integers(1, 10**12), min_size=1, max_size=40)


@given(CLOSES | PARTS_OF_A_WON, st.integers(2, 20))
def test_a_deviation_is_the_root_rounded_down(closes: list[int], window: int) -> None:
    found = rolling_deviation(np.array(closes, dtype=np.int64), window)
    for i in range(len(closes)):
        last = closes[max(i - window + 1, 0) : i + 1]
        exact = isqrt(window * sum(c * c for c in last) - sum(last) ** 2)
        assert found[i] == (exact if len(last) == window else 0)


@given(st.lists(st.integers(0, 9 * 10**18), min_size=1))
def test_a_root_is_rounded_down_exactly(values: list[int]) -> None:
    assert floored_root(np.array(values, dtype=np.int64)).tolist() == [isqrt(v) for v in values]


def test_the_largest_of_the_last_bars_is_found() -> None:
    values = np.array([3, 1, 2, 5, 4], dtype=np.int64)
    assert rolling_maximum(values, 2).tolist() == [0, 3, 2, 5, 5]
    assert rolling_maximum(values, 6).tolist() == [0] * 5


def test_a_true_range_counts_the_gap_from_the_close_before() -> None:
    price = np.array([100, 120, 90], dtype=np.int64)
    bars = BarColumns(np.arange(1, 4), price, price + 2, price - 1, price, price)
    assert true_range(bars).tolist() == [3, 22, 31]


# Momentum

MONTHS = Momentum(lookback=2, skip=1, holdings=1, weight=Decimal("0.5"), sessions=2)
FIRST = date(2026, 1, 2)


def weekdays(closes: Sequence[int], first: date = FIRST) -> BarColumns:
    """Give columns on weekdays."""
    days: list[int] = []
    day = first
    while len(days) < len(closes):
        if day.weekday() < 5:
            days.append(day.toordinal())
        day += timedelta(days=1)
    columns = columns_of(closes)
    prices = [columns.open, columns.high, columns.low, columns.close, columns.volume]
    return BarColumns(np.array(days, dtype=np.int64), *prices)


def decide(**closes: Sequence[int]) -> dict[str, list[tuple[str, float]]]:
    """Give every day on which a weight is told, and which."""
    universe = {Symbol(name.removeprefix("_")): weekdays(c) for name, c in closes.items()}
    found = MONTHS.evaluate_all(universe)
    return {
        symbol: [
            (date.fromordinal(int(universe[symbol].days[i])).isoformat(), float(weight))
            for i, weight in enumerate(decisions.weight)
            if not np.isnan(weight)
        ]
        for symbol, decisions in found.items()
        if decisions.weight is not None
    }


def test_nothing_is_told_before_there_are_bars_enough() -> None:
    # Two for the growth, one left out, 23 for a whole month before, and the bar itself: the 27th is in February.
    assert MONTHS.warm_up == 2 + 1 + 23 + 1
    found = decide(_005930=[100] * 45)
    assert found["005930"] == [("2026-03-02", 0.0), ("2026-03-03", 0.0)]


@pytest.mark.parametrize(
    ("samsung", "hyundai", "chosen"),
    [(108, 109, "005380"), (109, 109, "005380"), (110, 109, "005930")],
)
def test_growth_decides_and_equal_ones_go_by_symbol(
    samsung: int, hyundai: int, chosen: str
) -> None:
    # February 2026 has 20 weekdays, bars 21 to 40; the end is bar 40, left out; bar 39 against bar 37.
    rises = {"_005930": [100] * 39 + [samsung] * 6, "_005380": [100] * 39 + [hyundai] * 6}
    found = decide(**rises)
    other = {"005380": "005930", "005930": "005380"}[chosen]
    assert found[chosen] == [("2026-03-02", 0.5), ("2026-03-03", 0.5)]
    assert found[other] == [("2026-03-02", 0.0), ("2026-03-03", 0.0)]


def test_what_did_not_rise_is_not_held_unless_it_may_be() -> None:
    found = decide(_005930=[100] * 45)
    assert {weight for _, weight in found["005930"]} == {0.0}
    any_way = MONTHS.model_copy(update={"rising_only": False})
    weight = any_way.evaluate(weekdays([100] * 45)).weight
    assert weight is not None
    assert np.nanmax(weight) == 0.5


def test_what_does_not_trade_on_a_day_is_not_compared_on_it() -> None:
    strong, weak = [100] * 39 + [120] * 6, [100] * 39 + [110] * 6
    whole = weekdays(strong)
    halted = whole.days != date(2026, 3, 2).toordinal()
    columns = [getattr(whole, n) for n in ("days", "open", "high", "low", "close", "volume")]
    universe = {SAMSUNG: BarColumns(*(c[halted] for c in columns)), HYUNDAI: weekdays(weak)}
    found = MONTHS.evaluate_all(universe)
    told = {}
    for symbol, decisions in found.items():
        assert decisions.weight is not None
        told[symbol] = decisions.weight[~np.isnan(decisions.weight)].tolist()
    # On the 2nd only Hyundai trades; on the 3rd Samsung is stronger, and on the 4th it has its second session.
    assert told == {HYUNDAI: [0.5, 0.0], SAMSUNG: [0.5, 0.5]}


@pytest.mark.parametrize(("weight", "is_fine"), [("0.3333", True), ("0.3334", False)])
def test_weights_fit_into_equity(weight: str, *, is_fine: bool) -> None:
    asked = {"holdings": 3, "weight": weight}
    if is_fine:
        assert build_strategy("momentum", asked).largest_weight == Decimal(weight)
    else:
        with pytest.raises(InvalidSetting, match="weight"):
            build_strategy("momentum", asked)


class Peeking(Momentum):
    """Looks at the whole history of other symbols."""

    def evaluate_all(self, universe: dict[Symbol, BarColumns]) -> dict[Symbol, Decisions]:  # type: ignore[override] # planted
        """Show every symbol the highest close that another one ever has."""
        found = dict(super().evaluate_all(universe))
        for symbol, columns in universe.items():
            others = [c.close.max() for s, c in universe.items() if s != symbol]
            level = np.full(len(columns), float(max(others, default=0)))
            found[symbol] = Decisions.of_weight(np.full(len(columns), np.nan), {"level": level})
        return found


def wandering(seed: int, bars: int = 50) -> BarColumns:
    """Give a price that wanders."""
    random = np.random.default_rng(seed)
    return weekdays(
        np.round(50_000 * np.exp(np.cumsum(random.normal(0, 0.02, bars)))).astype(int).tolist()
    )


UNIVERSE = {SAMSUNG: wandering(1), HYUNDAI: wandering(2), LG_CHEM: wandering(3)}


def test_another_symbols_future_is_future() -> None:
    parameters = MONTHS.model_dump()
    leaks = examine(Peeking(**parameters), UNIVERSE, supply=Supply(kept=272)).leaks
    assert {leak.kind for leak in leaks} >= {LeakKind.FUTURE_ADDED, LeakKind.FUTURE_SHUFFLED}
    shuffled = {leak.symbol for leak in leaks if leak.kind is LeakKind.FUTURE_SHUFFLED}
    assert shuffled == set(UNIVERSE)
    alone = examine(Peeking(**parameters), {SAMSUNG: wandering(1)}, supply=Supply(kept=272))
    assert alone.is_clean  # nobody else's future can be seen there


@pytest.mark.parametrize(
    "strategy",
    [MONTHS, RSI, BREAK, VolatilityTarget(window=5, trend=10)],
    ids=lambda strategy: str(strategy.kind),
)
def test_symbols_compared_with_each_other_look_back_only(strategy: Strategy) -> None:
    late = {**UNIVERSE, LG_CHEM: wandering(3, bars=35)}
    report = examine(strategy, late, supply=Supply(kept=272))
    assert report.leaks == ()
    assert report.bars == sum(len(c) - strategy.warm_up + 1 for c in late.values())


# Volatility target

CALM = VolatilityTarget(volatility=Decimal("0.15"), weight=Decimal("0.2"), window=2, trend=None)


def told(closes: Sequence[int], strategy: VolatilityTarget = CALM) -> dict[str, float]:
    """Give the weight of each day on which one is told."""
    columns = weekdays(closes)
    weight = strategy.evaluate(columns).weight
    assert weight is not None
    days = [date.fromordinal(int(day)).isoformat() for day in columns.days]
    return {d: float(w) for d, w in zip(days, weight, strict=True) if not np.isnan(w)}


def test_a_weight_is_told_on_the_first_bar_of_a_week() -> None:
    # Monday, 12 January, is the 7th bar and the first warm one.
    assert list(told([100] * 17)) == ["2026-01-12", "2026-01-19", "2026-01-26"]


def test_the_weight_is_full_weight_times_target_by_own_volatility() -> None:
    # Returns of +2 % and -1.961 % (floored): mean square 2,000² and 1,961² hundred-thousandths.
    squares = 2_000**2 + 1_961**2
    part = isqrt(15_000**2 * 2 * 10**6 // (252 * squares))
    assert part == 477  # of a thousand: 15 % by 31.4 %
    closes = [10_000] * 4 + [10_000, 10_200, 10_000]
    assert told(closes) == {"2026-01-12": 2_000 * part // 1_000 / 10_000}


def test_calm_prices_have_the_full_weight_and_no_more() -> None:
    assert told([10_000] * 7) == {"2026-01-12": 0.2}


def test_below_its_average_nothing_is_held() -> None:
    falling = VolatilityTarget(window=2, trend=3)
    assert told([100, 100, 100, 100, 100, 100, 99], falling) == {"2026-01-12": 0.0}
    assert told([100, 100, 100, 100, 100, 100, 100], falling) == {"2026-01-12": 0.0}
