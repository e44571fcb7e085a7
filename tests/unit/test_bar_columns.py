"""This is the test of what an indicator may run over: traded bars only, in order, never a zero."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from strategies.base import BarColumns, has_traded
from strategies.moving_average import MovingAverageCross
from tests.bar_columns import A_MONDAY, a_bar, bars_of, columns_of
from trading.errors import InvalidBar

HALTED = {
    "zero prices, last close kept": {"open": 0, "high": 0, "low": 0, "volume": 0},
    "flat without volume": {"volume": 0},
    "zero prices with an off-session block trade": {"open": 0, "high": 0, "low": 0},
}


@pytest.mark.parametrize("encoding", HALTED.values(), ids=HALTED.keys())
def test_a_halted_day_is_left_out_in_every_encoding(encoding: dict[str, int]) -> None:
    bars = bars_of([100, 101, 102])
    bars[1] = a_bar(bars[1].trading_day, 101, **encoding)
    assert not has_traded(bars[1])
    assert BarColumns.of(bars).close.tolist() == [100, 102]


@pytest.mark.parametrize("encoding", HALTED.values(), ids=HALTED.keys())
def test_a_halt_does_not_move_an_average(encoding: dict[str, int]) -> None:
    strategy = MovingAverageCross(fast=2, slow=3, volume_window=2)
    bars = bars_of([100, 101, 102, 103])
    halted = [a_bar(bars[-1].trading_day + timedelta(days=n), 103, **encoding) for n in (1, 2)]
    resumed = a_bar(bars[-1].trading_day + timedelta(days=3), 99)
    with_halt = strategy.evaluate(BarColumns.of([*bars, *halted, resumed]))
    without = strategy.evaluate(BarColumns.of([*bars, resumed]))
    for name, values in without.indicators.items():
        np.testing.assert_array_equal(with_halt.indicators[name], values)


def test_no_bars_make_empty_columns() -> None:
    assert len(BarColumns.of([])) == 0
    assert MovingAverageCross().evaluate(BarColumns.of([])).entry.tolist() == []


def test_columns_keep_prices_volume_and_days() -> None:
    bar = a_bar(date(2018, 1, 15), 437_000, open=426_000, high=441_500, low=425_500, volume=212_044)
    columns = BarColumns.of([bar])
    assert date.fromordinal(int(columns.days[0])) == date(2018, 1, 15)
    row = [
        int(c[0]) for c in (columns.open, columns.high, columns.low, columns.close, columns.volume)
    ]
    assert row == [426_000, 441_500, 425_500, 437_000, 212_044]


def test_a_prefix_is_what_was_known_then() -> None:
    assert columns_of([1, 2, 3]).first(2).close.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume"])
def test_a_zero_in_a_column_is_refused(name: str) -> None:
    columns = {c: np.array([10, 11], dtype=np.int64) for c in ("open", "high", "low", "close")}
    columns |= {
        "days": np.array([1, 2], dtype=np.int64),
        "volume": np.array([5, 5], dtype=np.int64),
    }
    BarColumns(**columns)
    with pytest.raises(InvalidBar, match=f"{name}=0"):
        BarColumns(**columns | {name: np.array([10, 0], dtype=np.int64)})


@pytest.mark.parametrize("offset", [0, -1], ids=["twice", "backwards"])
def test_days_out_of_order_are_refused(offset: int) -> None:
    bars = [a_bar(A_MONDAY, 100), a_bar(A_MONDAY + timedelta(days=offset), 101)]
    with pytest.raises(InvalidBar, match="days"):
        BarColumns.of(bars)


def test_columns_of_unequal_length_are_refused() -> None:
    short, long = np.array([1], dtype=np.int64), np.array([1, 2], dtype=np.int64)
    with pytest.raises(InvalidBar, match="lengths"):
        BarColumns(long, long, long, long, short, long)
