"""This is the test of stop and target: exact levels, reached at the level, never from a missing price."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.exits import ExitLevels, ExitParameters, Trigger, evaluate_exit, exit_levels
from tests.builders import LG_CHEM
from trading.errors import BadInput
from trading.positions import Position

DEFAULTS = ExitParameters()


def held(quantity: int, cost: int) -> Position:
    """Give a position of `quantity` shares that cost `cost` won in all."""
    return Position(LG_CHEM, quantity=quantity, cost=cost)


def test_levels_of_the_defaults() -> None:
    assert exit_levels(held(34, 34 * 438_000), DEFAULTS) == ExitLevels(stop=416_100, target=481_800)


@pytest.mark.parametrize(
    ("price", "trigger"),
    [
        (416_101, None),
        (416_100, Trigger.STOP),
        (416_099, Trigger.STOP),
        (481_799, None),
        (481_800, Trigger.TARGET),
        (481_801, Trigger.TARGET),
    ],
)
def test_a_level_is_reached_at_the_level(price: int, trigger: Trigger | None) -> None:
    assert evaluate_exit(held(34, 34 * 438_000), price, DEFAULTS) is trigger


def test_the_average_is_not_rounded_before_the_level() -> None:
    # 3 shares for 100 won: an average of 33.33..., whose 95 % is 31.66... and whose 110 % is 36.66...
    assert exit_levels(held(3, 100), DEFAULTS) == ExitLevels(stop=31, target=37)
    # An average rounded to 333,333.3333 would put the target a won higher.
    thirds = ExitParameters(stop_loss=None, take_profit=Decimal("0.2"))
    assert exit_levels(held(3, 1_000_000), thirds).target == 400_000


@given(
    quantity=st.integers(1, 100_000),
    cost=st.integers(1, 10**12),
    stop=st.decimals("0.0001", "0.9999", places=4),
    target=st.decimals("0.0001", 10, places=4),
)
def test_levels_are_the_exact_fraction_of_the_average(
    quantity: int, cost: int, stop: Decimal, target: Decimal
) -> None:
    levels = exit_levels(held(quantity, cost), ExitParameters(stop_loss=stop, take_profit=target))
    average = Fraction(cost, quantity)
    assert levels.stop == floor(average * (1 - Fraction(stop)))
    assert levels.target == ceil(average * (1 + Fraction(target)))


@pytest.mark.parametrize(
    ("peak", "stop"),
    [
        (0, 95_000),  # not known
        (100_000, 95_000),
        (102_150, 95_000),  # 93 % are 94,999.5
        (102_151, 95_000),
        (102_152, 95_001),
        (150_000, 139_500),
    ],
)
def test_a_trailing_stop_raises_the_stop_and_never_lowers_it(peak: int, stop: int) -> None:
    trailing = ExitParameters(trailing_stop=Decimal("0.07"))
    levels = exit_levels(held(10, 1_000_000), trailing, peak=peak)
    assert levels == ExitLevels(stop=stop, target=110_000)


def test_a_trailing_stop_stands_alone_where_no_other_is_set() -> None:
    alone = ExitParameters(stop_loss=None, take_profit=None, trailing_stop=Decimal("0.5"))
    assert exit_levels(held(1, 1_000), alone, peak=0).stop is None
    assert evaluate_exit(held(1, 1_000), 1_000, alone, peak=2_000) is Trigger.STOP
    assert evaluate_exit(held(1, 1_000), 1_001, alone, peak=2_000) is None


def test_the_highest_price_means_nothing_to_the_other_exits() -> None:
    assert exit_levels(held(1, 1_000), DEFAULTS, peak=10**6) == exit_levels(
        held(1, 1_000), DEFAULTS
    )


def test_nothing_held_has_no_exit() -> None:
    assert evaluate_exit(held(0, 0), 1, DEFAULTS) is None


def test_an_exit_that_is_switched_off_never_comes() -> None:
    neither = ExitParameters(stop_loss=None, take_profit=None)
    assert evaluate_exit(held(1, 1_000), 1, neither) is None
    assert evaluate_exit(held(1, 1_000), 10**9, neither) is None


@pytest.mark.parametrize("price", [0, -1])
def test_a_missing_price_is_an_error_and_no_stop(price: int) -> None:
    with pytest.raises(BadInput, match="price"):
        evaluate_exit(held(1, 1_000), price, DEFAULTS)


@pytest.mark.parametrize(
    "fault",
    [
        {"trailing_stop": 0},
        {"trailing_stop": 1},
        {"stop_loss": 0},
        {"stop_loss": 1},
        {"take_profit": 0},
        {"take_profit": 11},
        {"stop": 1},
    ],
)
def test_parameters_out_of_range_are_refused(fault: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ExitParameters.model_validate(fault)
