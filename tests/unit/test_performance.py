"""This is how the metrics come out, worked by hand and equal to empyrical's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import BadInput
from trading.performance import (
    cagr,
    calmar,
    daily_returns,
    drawdowns,
    exposure,
    max_drawdown,
    profit_factor,
    sharpe,
    sortino,
    total_return,
    turnover,
    volatility,
    win_rate,
)

type Metric = Callable[[Sequence[Decimal]], Decimal | None]

OF_RETURNS: list[Metric] = [total_return, cagr, volatility, sharpe, sortino, max_drawdown, calmar]

EQUITY = (10_000_000, 10_200_000, 9_894_000, 9_894_000, 10_290_000, 10_187_100, 10_500_000)
EMPYRICAL: dict[Metric, str] = {
    total_return: "0.050000000000000044",
    cagr: "6.761587555117436",
    volatility: "0.4209761317385003",
    sharpe: "5.062192197251078",
    sortino: "10.39851824210462",
    max_drawdown: "-0.030000000000000023",
    calmar: "225.3862518372477",
}
"""What empyrical 0.7.1 makes of `EQUITY`."""

equities = st.lists(st.integers(min_value=10**6, max_value=10**12), min_size=2, max_size=60)


def returns(*percents: str) -> tuple[Decimal, ...]:
    """Give returns from percent figures."""
    return tuple(Decimal(percent) / 100 for percent in percents)


def test_returns_are_changes_against_the_day_before() -> None:
    assert daily_returns((1_000, 1_100, 990)) == returns("10", "-10")


def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss() -> None:
    assert daily_returns((1_000, 1_600, 1_100), (0, 500, -500)) == returns("10", "0")


def test_one_day_of_equity_has_no_return() -> None:
    assert daily_returns((1_000,)) == ()
    assert daily_returns(()) == ()


def test_equity_of_nothing_has_no_next_return() -> None:
    assert daily_returns((1_000, 0)) == returns("-100")
    with pytest.raises(BadInput, match="equity"):
        daily_returns((1_000, 0, 10))


def test_deposits_come_one_per_day() -> None:
    with pytest.raises(BadInput, match="paid_in"):
        daily_returns((1_000, 1_100), (0,))


def test_the_total_return_compounds() -> None:
    assert total_return(returns("10", "-10")) == Decimal("-0.01")


def test_half_a_year_of_growth_is_squared() -> None:
    half_year = (Decimal("0.1"), *[Decimal(0)] * 125)
    assert cagr(half_year) == Decimal("0.21")


def test_a_total_loss_has_no_rate_but_minus_one() -> None:
    assert cagr(returns("50", "-100")) == -1


def test_the_volatility_divides_by_n_minus_one() -> None:
    # mean 1 %, squares (2 %)^2 + 0 + (2 %)^2 = 0.0008, / 2 = 0.0004, root 2 %, times sqrt(252)
    assert volatility(returns("-1", "1", "3")) == Decimal("0.02") * Decimal(252).sqrt()


def test_the_sharpe_ratio_is_the_mean_over_the_deviation() -> None:
    assert sharpe(returns("-1", "1", "3")) == Decimal("0.5") * Decimal(252).sqrt()


def test_the_sortino_ratio_counts_every_day_below_the_line() -> None:
    # downside: sqrt((0.03^2 + 0 + 0 + 0) / 4) = 1.5 %; mean 0.75 %
    value = sortino(returns("-3", "1", "2", "3"))
    assert value == Decimal("0.5") * Decimal(252).sqrt()


def test_the_drawdown_is_measured_from_the_peak_of_equity() -> None:
    assert drawdowns(returns("25", "-20", "0", "50")) == returns("0", "-20", "-20", "0")
    assert max_drawdown(returns("25", "-20", "-50", "100")) == Decimal("-0.6")


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    assert max_drawdown(returns("-10", "5")) == Decimal("-0.1")


def test_the_calmar_ratio_is_growth_over_the_deepest_drawdown() -> None:
    year = (Decimal("-0.5"), Decimal("1.4"), *[Decimal(0)] * 250)
    assert calmar(year) == Decimal("0.4")


@pytest.mark.parametrize("metric", OF_RETURNS)
def test_no_returns_give_no_figure(metric: Metric) -> None:
    assert metric(()) is None


@pytest.mark.parametrize("metric", [volatility, sharpe])
def test_one_return_has_no_deviation(metric: Metric) -> None:
    assert metric(returns("1")) is None


@pytest.mark.parametrize("metric", [sharpe, sortino, calmar])
def test_days_of_equal_gain_have_no_ratio(metric: Metric) -> None:
    third = Decimal(1) / 3  # its mean, rounded, is not itself
    assert metric((third,) * 3) is None
    assert volatility((third,) * 3) == 0


def test_the_profit_factor_is_gains_over_losses() -> None:
    assert profit_factor((300, -100, 0, 200, -100)) == Decimal("2.5")
    assert profit_factor((-100,)) == 0
    assert profit_factor((100, 0)) is None
    assert profit_factor(()) is None


def test_breaking_even_is_no_win() -> None:
    assert win_rate((300, 0, -100, 1)) == Decimal("0.5")
    assert win_rate(()) is None


def test_the_exposure_is_the_mean_share_of_equity_in_positions() -> None:
    assert exposure((0, 500, 300), (1_000, 1_000, 1_200)) == Decimal("0.25")
    assert exposure((), ()) is None


def test_a_turnover_of_one_replaces_the_account_once() -> None:
    assert turnover((900, 1_100), bought=1_000, sold=1_000) == 1
    assert turnover((), bought=0, sold=0) is None


@pytest.mark.parametrize(("metric", "expected"), EMPYRICAL.items())
def test_the_figures_are_those_of_empyrical(metric: Metric, expected: str) -> None:
    value = metric(daily_returns(EQUITY))
    assert value is not None
    assert abs(value / Decimal(expected) - 1) < Decimal("1e-12")


@given(equities)
def test_the_total_return_is_the_last_equity_over_the_first(equity: list[int]) -> None:
    value = total_return(daily_returns(equity))
    assert value is not None
    assert abs((value + 1) * equity[0] / equity[-1] - 1) < Decimal("1e-18")


@given(equities)
def test_no_drawdown_is_above_zero_and_none_below_a_total_loss(equity: list[int]) -> None:
    depths = drawdowns(daily_returns(equity))
    assert len(depths) == len(equity) - 1
    assert all(-1 <= depth <= 0 for depth in depths)


@given(equities)
def test_a_quiet_day_changes_no_drawdown(equity: list[int]) -> None:
    moves = daily_returns(equity)
    assert max_drawdown((*moves, Decimal(0))) == max_drawdown(moves)


@given(equities, st.integers(min_value=2, max_value=1_000))
def test_a_larger_account_with_the_same_moves_has_the_same_figures(
    equity: list[int], factor: int
) -> None:
    larger = [value * factor for value in equity]
    assert daily_returns(larger) == daily_returns(equity)
