"""A Sharpe ratio proves as much as the papers say: after fat tails, few days and many tries."""

from __future__ import annotations

from math import inf
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics import (
    Moments,
    deflated_sharpe,
    expected_best_sharpe,
    moments,
    probabilistic_sharpe,
    variance_of,
)

EXAMPLE = Moments(days=1250, sharpe=2.5 / 250**0.5, skewness=-3, kurtosis=10)
"""The example of "The Deflated Sharpe Ratio": 2.5 a year of 250 days, five years."""
VARIANCE = 0.5 / 250
"""Its tries' ratios vary by 1/2 a year."""

ratios = st.floats(min_value=-0.3, max_value=0.3)


def test_the_deflated_ratio_is_that_of_the_papers_example() -> None:
    assert expected_best_sharpe(VARIANCE, 100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(EXAMPLE, tries=100, variance=VARIANCE) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(EXAMPLE, tries=46, variance=VARIANCE) == pytest.approx(0.9505, abs=5e-5)


def test_the_probabilistic_ratio_of_a_normal_month_is_worked_by_hand() -> None:
    # (0.2 - 0) * sqrt(24) / sqrt(1 + (3 - 1) / 4 * 0.04) = 0.9798 / 1.00995 = 0.97014
    found = probabilistic_sharpe(Moments(days=25, sharpe=0.2, skewness=0, kurtosis=3))
    assert found == pytest.approx(NormalDist().cdf(0.97014), abs=1e-5)


def test_one_try_deflates_nothing() -> None:
    assert deflated_sharpe(EXAMPLE, tries=1, variance=VARIANCE) == probabilistic_sharpe(EXAMPLE)


def test_the_expected_best_of_pure_luck_is_what_luck_gives() -> None:
    seed = 6
    random = np.random.default_rng(seed)
    best = random.normal(0, 0.06, size=(2_000, 50)).max(axis=1).mean()
    assert expected_best_sharpe(0.06**2, 50) == pytest.approx(best, rel=0.02), f"seed {seed}"


def test_the_moments_are_worked_by_hand() -> None:
    # mean 1, apart -1, -1, 2: m2 = 2, m3 = 2, m4 = 6; stdev sqrt(6 / 2)
    found = moments((0.0, 0.0, 3.0))
    assert found is not None
    assert found.days == 3
    assert found.sharpe == pytest.approx(1 / 3**0.5)
    assert found.skewness == pytest.approx(2 / 2**1.5)
    assert found.kurtosis == pytest.approx(6 / 4)


@pytest.mark.parametrize("returns", [(), (0.1,), (0.1, 0.1, 0.1), (0.0, 1e-300)])
def test_returns_without_spread_have_no_moments(returns: tuple[float, ...]) -> None:
    assert moments(returns) is None


def test_the_variance_of_tries_divides_by_n_minus_one() -> None:
    assert variance_of((0.1, 0.3)) == pytest.approx(0.02)
    assert variance_of((0.1,)) == 0


@given(ratios, st.integers(min_value=2, max_value=5_000), st.integers(min_value=2, max_value=5_000))
def test_more_tries_never_prove_more(ratio: float, few: int, more: int) -> None:
    few, more = sorted((few, more))
    found = Moments(days=500, sharpe=ratio, skewness=-0.5, kurtosis=6)
    after_more = deflated_sharpe(found, tries=more, variance=0.003)
    assert after_more <= deflated_sharpe(found, tries=few, variance=0.003)
    assert 0 <= after_more <= 1


@given(st.floats(min_value=-20, max_value=20), st.floats(min_value=-50, max_value=50))
def test_a_probability_is_one_whatever_the_moments(ratio: float, skewness: float) -> None:
    found = Moments(days=100, sharpe=ratio, skewness=skewness, kurtosis=1)
    assert 0 <= probabilistic_sharpe(found) <= 1
    assert probabilistic_sharpe(found, inf) == 0
