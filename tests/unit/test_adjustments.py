"""This is the proof that raw prices and factors give the adjusted series again."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bar_columns import a_bar
from trading.adjustments import ROUNDING, Adjustment, Factor, explains, find_factors
from trading.bars import Bar

FIRST = date(2018, 4, 20)
SPLIT = date(2018, 5, 4)


def day(number: int) -> date:
    """Give the day so many days after the first."""
    return FIRST + timedelta(days=number)


def raw_bar(number: int, close: int, **changes: Any) -> Bar:
    """Give a raw day around its close."""
    prices = {"open": close + 50, "high": close + 100, "low": close - 150}
    return a_bar(day(number), close, is_adjusted=False, **prices | changes)


def differences(one: Bar, other: Bar) -> list[int]:
    """Give how far the prices of two bars lie apart."""
    return [
        abs(getattr(one, name) - getattr(other, name)) for name in ("open", "high", "low", "close")
    ]


# As Samsung was: 2,650,000 won a share before one became fifty.
BEFORE = [raw_bar(n, 2_650_000 + 10_000 * n) for n in range(14)]
AFTER = [raw_bar(n, 51_900 + 100 * n) for n in range(14, 20)]
FIFTIETH = Adjustment(1, (Factor(FIRST, Fraction(1, 50)), Factor(SPLIT, Fraction(1))))


def test_a_split_is_one_factor_before_its_day_and_one_from_it_on() -> None:
    raw = [*BEFORE, *AFTER]
    adjusted = [FIFTIETH.adjust(bar) for bar in raw]
    assert [bar.close for bar in adjusted[13:15]] == [55_600, 53_300]
    assert find_factors(raw, adjusted) == FIFTIETH.factors
    assert all(bar.is_adjusted for bar in adjusted)


def test_without_an_event_the_factor_is_one() -> None:
    assert find_factors(AFTER, AFTER) == (Factor(day(14), Fraction(1)),)
    assert find_factors([], AFTER) == find_factors(AFTER, []) == ()


def test_a_day_that_is_halted_tells_by_its_close_alone() -> None:
    halted = raw_bar(13, 2_650_000, open=0, high=0, low=0, volume=0)
    raw = [*BEFORE[:13], halted, *AFTER]
    adjusted = [FIFTIETH.adjust(bar) for bar in raw]
    assert (adjusted[13].open, adjusted[13].close) == (0, 53_000)
    assert find_factors(raw, adjusted) == FIFTIETH.factors


def test_a_day_of_one_series_alone_tells_nothing() -> None:
    raw = [*BEFORE, *AFTER]
    adjusted = [FIFTIETH.adjust(bar) for bar in raw[3:]]
    assert [factor.since for factor in find_factors(raw, adjusted)] == [day(3), SPLIT]


def test_factors_in_force_are_right_until_history_is_scaled_anew() -> None:
    raw = [*BEFORE, *AFTER]
    adjusted = [FIFTIETH.adjust(bar) for bar in raw]
    assert explains(FIFTIETH, raw, adjusted)
    scaled = Adjustment(2, (Factor(FIRST, Fraction(1, 100)), Factor(SPLIT, Fraction(1, 2))))
    anew = [scaled.adjust(bar) for bar in raw]
    assert not explains(FIFTIETH, raw, anew)
    assert find_factors(raw, anew) == scaled.factors


def test_a_day_before_the_first_factor_takes_that_one() -> None:
    assert FIFTIETH.ratio_on(date(2000, 1, 1)) == Fraction(1, 50)
    assert Adjustment(1, ()).ratio_on(FIRST) == 1


@given(
    closes=st.lists(st.integers(1_000, 3_000_000), min_size=1, max_size=40),
    events=st.dictionaries(
        st.integers(1, 39), st.fractions("0.02", "5", max_denominator=60), max_size=3
    ),
    noise=st.lists(st.integers(-1, 1), min_size=40, max_size=40),
)
def test_raw_times_factor_is_adjusted_whatever_happened(
    closes: list[int], events: dict[int, Fraction], noise: list[int]
) -> None:
    raw = [raw_bar(number, close) for number, close in enumerate(closes)]
    adjusted = []
    for number, bar in enumerate(raw):
        ratio = Fraction(1)
        for event, part in events.items():
            ratio *= part if number < event else 1
        exact = Adjustment(1, (Factor(FIRST, ratio),)).adjust(bar)
        close = max(1, exact.close + noise[number])  # vendors round anew at each event
        adjusted.append(
            a_bar(bar.trading_day, close, open=exact.open, high=exact.high, low=exact.low)
        )
    made = Adjustment(1, find_factors(raw, adjusted))
    assert explains(made, raw, adjusted)
    for bar, other in zip(raw, adjusted, strict=True):
        assert max(differences(made.adjust(bar), other)) <= ROUNDING + 1


@pytest.mark.parametrize("ratio", ["1/50", "1/5", "2/3", "10", "3/2", "100/129"])
def test_the_ratio_is_the_one_that_people_would_name(ratio: str) -> None:
    raw = [raw_bar(n, 200_000 + 37_700 * n) for n in range(30)]
    exact = Adjustment(1, (Factor(FIRST, Fraction(ratio)),))
    assert find_factors(raw, [exact.adjust(bar) for bar in raw]) == exact.factors
