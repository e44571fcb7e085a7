"""This is the test of the indicators: exact sums, crossings, the moving-average cross bar by bar."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.base import BarColumns, Decisions
from strategies.indicators import average, crossed_above, rolling_sum
from strategies.moving_average import MovingAverageCross
from tests.bar_columns import columns_of

PRICES = st.lists(st.integers(1, 4_000_000), min_size=1, max_size=60)


def test_a_rolling_sum_includes_the_bar_it_stands_at() -> None:
    sums = rolling_sum(np.array([1, 2, 3, 4], dtype=np.int64), 3)
    assert sums.tolist() == [0, 0, 6, 9]


def test_a_window_longer_than_the_history_sums_nothing() -> None:
    assert rolling_sum(np.array([1, 2], dtype=np.int64), 3).tolist() == [0, 0]


def test_an_average_of_too_few_bars_is_not_a_number() -> None:
    averages = average(rolling_sum(np.array([2, 4], dtype=np.int64), 2), 2)
    assert np.isnan(averages[0])
    assert averages[1] == 3


@given(PRICES, st.integers(1, 20))
def test_a_rolling_sum_equals_adding_up(values: list[int], window: int) -> None:
    sums = rolling_sum(np.array(values, dtype=np.int64), window)
    for i in range(window - 1, len(values)):
        assert sums[i] == sum(values[i - window + 1 : i + 1])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 3], [2, 2], [False, True]),
        ([2, 3], [2, 2], [False, True]),  # touching before is not yet above
        ([3, 4], [2, 2], [False, False]),
        ([1, 2], [2, 2], [False, False]),  # touching now is not above
        ([3, 1], [2, 2], [False, False]),
    ],
)
def test_a_cross_leads_from_at_or_below_to_above(
    left: list[int], right: list[int], expected: list[bool]
) -> None:
    flags = crossed_above(np.array(left), np.array(right), since=0)
    assert flags.tolist() == expected


def test_a_cross_before_its_warm_up_does_not_count() -> None:
    flags = crossed_above(np.array([1, 3, 1, 3]), np.array([2, 2, 2, 2]), since=2)
    assert flags.tolist() == [False, False, False, True]


def by_hand(columns: BarColumns, strategy: MovingAverageCross) -> tuple[list[bool], list[bool]]:
    """Decide with exact fractions and plain loops, straight from the definition."""
    closes, volumes = columns.close.tolist(), columns.volume.tolist()

    def mean(values: list[int], i: int, window: int) -> Fraction:
        return Fraction(sum(values[i - window + 1 : i + 1]), window)

    entries, exits = [False] * len(closes), [False] * len(closes)
    for i in range(strategy.warm_up - 1, len(closes)):
        fast = [mean(closes, j, strategy.fast) for j in (i - 1, i)]
        slow = [mean(closes, j, strategy.slow) for j in (i - 1, i)]
        usual = mean(volumes, i, strategy.volume_window) * Fraction(strategy.volume_ratio or 0)
        entries[i] = fast[0] <= slow[0] and fast[1] > slow[1] and volumes[i] > usual
        exits[i] = fast[0] >= slow[0] and fast[1] < slow[1]
    return entries, exits


@given(
    closes=st.lists(st.integers(90, 110), min_size=1, max_size=60),
    volumes=st.lists(st.integers(1, 9), min_size=60, max_size=60),
    fast=st.integers(1, 4),
    more=st.integers(1, 5),
    volume_window=st.integers(1, 12),
    ratio=st.sampled_from([None, Decimal(1), Decimal("1.5"), Decimal("0.1")]),
)
def test_decisions_equal_the_definition_in_exact_fractions(
    *,
    closes: list[int],
    volumes: list[int],
    fast: int,
    more: int,
    volume_window: int,
    ratio: Decimal | None,
) -> None:
    strategy = MovingAverageCross(
        fast=fast, slow=fast + more, volume_window=volume_window, volume_ratio=ratio
    )
    columns = columns_of(closes, volumes[: len(closes)])
    decisions = strategy.evaluate(columns)
    assert (decisions.entry.tolist(), decisions.exit.tolist()) == by_hand(columns, strategy)


@given(closes=st.lists(st.integers(90, 110), min_size=3, max_size=40), data=st.data())
def test_later_bars_never_change_a_decision(closes: list[int], data: st.DataObject) -> None:
    strategy = MovingAverageCross(fast=2, slow=3, volume_window=2)
    count = data.draw(st.integers(1, len(closes)))
    everything = strategy.evaluate(columns_of(closes))
    until_then = strategy.evaluate(columns_of(closes[:count]))
    assert until_then.entry.tolist() == everything.entry.tolist()[:count]
    assert until_then.exit.tolist() == everything.exit.tolist()[:count]


def decide(closes: list[int], volumes: list[int] | None = None, **parameters: object) -> Decisions:
    """Decide with averages of 2 and 3 days."""
    chosen = {"fast": 2, "slow": 3, "volume_window": 2} | parameters
    return MovingAverageCross.model_validate(chosen).evaluate(columns_of(closes, volumes))


RISING_AT_THE_END = [10, 10, 10, 10, 12]


def test_volume_equal_to_its_average_is_not_enough() -> None:
    assert not decide(RISING_AT_THE_END, [5, 5, 5, 5, 5]).entry[-1]
    assert decide(RISING_AT_THE_END, [5, 5, 5, 5, 6]).entry[-1]


def test_without_a_volume_ratio_any_volume_is_enough() -> None:
    assert decide(RISING_AT_THE_END, [9, 9, 9, 9, 1], volume_ratio=None).entry[-1]


def test_the_first_cross_can_come_as_soon_as_two_slow_averages_are_there() -> None:
    strategy = MovingAverageCross(fast=2, slow=3, volume_window=2, volume_ratio=None)
    assert strategy.warm_up == 4
    assert strategy.evaluate(columns_of([10, 10, 10, 12])).entry.tolist() == [False] * 3 + [True]


def test_a_volume_window_longer_than_the_slow_average_is_waited_for() -> None:
    assert MovingAverageCross(fast=2, slow=3, volume_window=30).warm_up == 30


def test_the_defaults_are_50_and_200_days_with_a_volume_filter() -> None:
    strategy = MovingAverageCross()
    assert (strategy.fast, strategy.slow, strategy.volume_window) == (50, 200, 20)
    assert strategy.volume_ratio == 1
    assert strategy.warm_up == 201
