"""This is the test of the opening range breakout: its range, its minutes, and days that are not whole."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from backtest.lookahead import Supply, examine
from strategies.base import BarColumns, Decisions
from strategies.opening_range import OpeningRangeBreakout
from strategies.registry import build_strategy
from strategies.settings import StrategySettings
from tests.builders import SAMSUNG, seoul
from tests.minute_days import day_of, minute_columns
from trading.bars import Interval
from trading.errors import InvalidBar, InvalidSetting

YESTERDAY, TODAY = date(2026, 11, 17), date(2026, 11, 18)
SHORT = OpeningRangeBreakout(minutes=3, enter_until=6, leave_after=8)


def decided(today: list[int], day: date = TODAY, first: int = 1) -> Decisions:
    """Decide about a day of which the day before has one bar; its decision is left out."""
    bars = [*day_of(YESTERDAY, [100], first=390), *day_of(day, today, first=first)]
    whole = SHORT.evaluate(BarColumns.of(bars))
    shown = {name: values[1:] for name, values in whole.indicators.items()}
    return Decisions(whole.entry[1:], whole.exit[1:], shown)


def test_it_enters_on_the_first_close_above_the_range() -> None:
    #                    minute  1    2    3  |  4    5    6    7
    found = decided(today=[100, 103, 101, 103, 104, 105, 106])
    # 103 is the range's high: minute 4 closes at it, minute 5 above; minute 6 was above before.
    assert np.flatnonzero(found.entry).tolist() == [4]
    assert found.indicators["range_high"].tolist() == [100, 103, 103, 103, 103, 103, 103]
    assert found.indicators["range_low"].tolist() == [100] * 7


@pytest.mark.parametrize(("minute", "enters"), [(5, True), (6, True), (7, False)])
def test_it_enters_until_its_last_minute(minute: int, *, enters: bool) -> None:
    today = [100] * (minute - 1) + [101]
    assert decided(today).entry[-1] == enters


@pytest.mark.parametrize(("close", "leaves"), [(99, True), (100, False), (101, False)])
def test_it_leaves_below_the_range(close: int, *, leaves: bool) -> None:
    assert decided([102, 100, 101, close]).exit[-1] == leaves


def test_nothing_is_decided_while_the_range_is_made() -> None:
    found = decided([100, 101, 99])
    assert not found.entry.any()
    assert not found.exit.any()


@pytest.mark.parametrize(("minute", "leaves"), [(7, False), (8, True), (9, True)])
def test_it_leaves_before_the_close_whatever_the_price(minute: int, *, leaves: bool) -> None:
    assert decided([100] * minute).exit[-1] == leaves


def test_minutes_are_counted_from_an_opening_that_is_late() -> None:
    """On the day of the university entrance exam the session begins at 10:00 (2018-11-15)."""
    exam_day = date(2018, 11, 15)
    bars = day_of(exam_day, [100, 103, 101, 103, 104])
    assert bars[0].at == seoul(exam_day, "10:01")
    earlier = day_of(exam_day - timedelta(days=1), [100], first=390)
    assert np.flatnonzero(SHORT.evaluate(BarColumns.of([*earlier, *bars])).entry).tolist() == [5]


def test_a_day_whose_beginning_may_be_missing_is_not_entered() -> None:
    bars = day_of(TODAY, [100, 103, 101, 103, 104])
    alone = SHORT.evaluate(BarColumns.of(bars))
    assert not alone.entry.any()
    assert np.isnan(alone.indicators["range_high"]).all()


def test_a_day_without_a_trade_in_the_range_is_not_entered() -> None:
    found = decided([100, 104], first=4)
    assert not found.entry.any()
    assert np.isnan(found.indicators["range_low"]).all()


def test_every_minute_of_some_days_is_free_of_look_ahead() -> None:
    days = [date(2018, 1, 17), date(2018, 1, 18), date(2018, 1, 19)]
    columns = minute_columns(days, seed=20180117).first(391 + 150)
    # What live reads is bounded by the warm-up; more of the past must change nothing.
    report = examine(OpeningRangeBreakout(), {SAMSUNG: columns}, supply=Supply(kept=480, page=120))
    assert report.leaks == ()
    assert report.bars == len(columns) - 391 + 1


def test_it_says_which_bars_it_looks_at() -> None:
    settings = StrategySettings(id="range", kind="opening_range_breakout", symbols=(SAMSUNG,))
    assert settings.interval is Interval.MINUTE
    daily = StrategySettings(id="trend", kind="moving_average_cross", symbols=(SAMSUNG,))
    foreign = StrategySettings(id="mine", kind="plugin:mine", symbols=(SAMSUNG,))
    assert daily.interval is foreign.interval is Interval.DAY


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"minutes": 60, "enter_until": 60}, "minutes"),
        ({"enter_until": 370, "leave_after": 370}, "enter_until"),
        ({"minutes": 0}, "minutes"),
    ],
)
def test_minutes_out_of_order_are_refused(changes: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidSetting, match=field):
        build_strategy("opening_range_breakout", changes)


def test_a_minute_bar_is_known_by_its_end_in_seoul() -> None:
    columns = BarColumns.of(day_of(TODAY, [100, 101]))
    assert columns.minutes.tolist() == [541, 542]
    assert columns.first(1).minutes.tolist() == [541]
    with pytest.raises(InvalidBar, match="minute once"):
        BarColumns.of(day_of(TODAY, [100, 101])[::-1])
