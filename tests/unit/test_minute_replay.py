"""This is the test of the replay by minutes: what is traded in which minute and at which price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.calendars import XkrxCalendar
from backtest.minutes import run_minutes
from backtest.plans import ReplayPlan
from backtest.results import ReplayResult
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.base import BarColumns, Decisions, Strategy
from strategies.settings import StrategySettings
from tests.builders import SAMSUNG
from tests.minute_days import day_of
from trading.bars import Bar, Interval
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.instruments import Listing, Symbol
from trading.orders import OrderStatus
from trading.sessions import KST

YESTERDAY, TODAY, TOMORROW = date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)
CALENDAR = XkrxCalendar()
RISING, FALLING = 10_050, 9_950
"""The test's strategy enters on a close of at least the one, and leaves at most at the other."""
DIP = 9_960


class Levels(Strategy):
    """Enters at or above one price, leaves at or below another."""

    interval = Interval.MINUTE
    kind = "levels"

    @property
    def warm_up(self) -> int:
        """One bar."""
        return 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Compare each close."""
        return Decisions(columns.close >= RISING, columns.close <= FALLING)


class Dips(Levels):
    """Enters at one close alone, and never leaves."""

    kind = "dips"

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Compare each close."""
        return Decisions(columns.close == DIP, columns.close < 0)


def replayed(
    today: list[Bar],
    *beside: Strategy,
    listings: Mapping[Symbol, Listing] | None = None,
    last: date = TODAY,
    **exits: Any,
) -> ReplayResult:
    """Replay a day after one that closed at 10,000; strategies `beside` the first trade in the same account."""
    document = {
        "kind": "opening_range_breakout",
        "symbols": [SAMSUNG],
        "exits": {"stop_loss": None, "take_profit": None} | exits,
    }
    plan = ReplayPlan(
        strategies=tuple(
            StrategySettings.model_validate({"id": each.kind, **document}).run_by(each)
            for each in (Levels(), *beside)
        ),
        limits=RiskLimits(maximum_weight=Decimal(1)),
        sizing=SizingSettings(target_weight=Decimal("0.5"), limit_offset=Decimal("0.01")),
        costs=CostSchedule(commission_rate=Decimal(0)),
        cash=10_000_000,
        first=TODAY,
        last=last,
        listings=listings or {},
    )
    bars = {SAMSUNG: [*day_of(YESTERDAY, [10_000], first=390), *today]}
    return run_minutes(bars, plan, CALENDAR)


def fills(result: ReplayResult) -> list[tuple[str, str, int]]:
    """Give the minute, the side and the price of each fill."""
    return [
        (f"{e.executed_at.astimezone(KST):%H:%M}", e.side.value, int(e.price))
        for e in result.executions
    ]


def test_a_minutes_decision_is_traded_in_the_next_bar() -> None:
    today = day_of(TODAY, [10_000, 10_050, 10_060, 10_000, 9_950, 9_940])
    assert fills(replayed(today)) == [("09:03", "BUY", 10_060), ("09:06", "SELL", 9_940)]


def test_an_entry_that_the_next_bar_leaves_behind_is_gone() -> None:
    # 10,050 + 1 % is 10,150 on the grid; nothing after it enters again on that day.
    result = replayed(day_of(TODAY, [10_000, 10_050, 10_160, 10_050, 10_050]))
    assert fills(result) == []
    assert len(result.signals) == 1
    assert [order.status for order in result.orders] == [OrderStatus.EXPIRED]


def test_a_bar_that_comes_back_to_the_limit_fills_there() -> None:
    today = day_of(TODAY, [10_000, 10_050, 10_160])
    today[2] = replace(today[2], low=10_150, volume=1_000)
    assert fills(replayed(today)) == [("09:03", "BUY", 10_150)]


def test_no_more_is_bought_than_the_bar_traded() -> None:
    result = replayed(day_of(TODAY, [10_000, 10_050, 10_060]))
    assert [execution.quantity for execution in result.executions] == [10]


@pytest.mark.parametrize(("low", "leaves"), [(9_960, False), (9_957, True), (9_900, True)])
def test_a_stop_ends_the_position_in_the_bar_that_reaches_it(low: int, *, leaves: bool) -> None:
    # Bought at 10,060: 1 % below is 9,959; the first price on the grid there is 9,950, or the bar's low above it.
    today = day_of(TODAY, [10_000, 10_050, 10_060, 10_060])
    today[3] = replace(today[3], low=low)
    found = fills(replayed(today, stop_loss=Decimal("0.01")))
    assert found[1:] == ([("09:04", "SELL", max(low, 9_950))] if leaves else [])


def test_a_target_is_not_reached_in_the_bar_that_bought() -> None:
    today = day_of(TODAY, [10_000, 10_050, 10_060, 10_060])
    today[2] = replace(today[2], high=10_300)
    assert fills(replayed(today, take_profit=Decimal("0.02"))) == [("09:03", "BUY", 10_060)]
    today[3] = replace(today[3], high=10_300)
    assert fills(replayed(today, take_profit=Decimal("0.02")))[1:] == [("09:04", "SELL", 10_270)]


def test_a_trailing_stop_follows_the_highest_minute_up_to_the_bar_before() -> None:
    # 10,300 * 0.99 = 10,197: the grid below is 10,150, the bar's low above it.
    today = day_of(TODAY, [10_000, 10_050, 10_060, 10_200, 10_210, 10_160])
    today[3] = replace(today[3], high=10_300)
    today[4] = replace(today[4], high=10_400, low=10_198)
    assert fills(replayed(today, trailing_stop=Decimal("0.01"))) == [
        ("09:03", "BUY", 10_060),
        ("09:06", "SELL", 10_160),
    ]
    today[4] = replace(today[4], low=10_197)
    assert fills(replayed(today, trailing_stop=Decimal("0.01")))[1:] == [("09:05", "SELL", 10_197)]


def test_one_strategys_purchase_lets_no_other_leave_above_the_bar() -> None:
    # Bought at 10,000 with a stop of 9,950. The other buys at the opening of the bar that gaps below it.
    today = day_of(TODAY, [RISING, 10_000, 9_960, 9_900])
    result = replayed(today, Dips(), stop_loss=Decimal("0.005"))
    assert fills(result) == [
        ("09:02", "BUY", 10_000),
        ("09:04", "BUY", 9_900),
        ("09:04", "SELL", 9_900),
    ]


def test_the_day_begins_from_what_was_known_the_evening_before() -> None:
    result = replayed(day_of(TODAY, [10_000, 10_050, 10_100, 10_200]))
    (point,) = result.equity
    assert (point.opening, point.closing) == (10_000_000, 10_000_000 + 10 * 100)
    assert result.invested == (10 * 10_200,)


def test_what_is_delisted_is_sold_at_its_last_minute() -> None:
    last = day_of(TODAY, [10_000, 10_050, 10_060, 10_070])
    listings = {SAMSUNG: Listing(delisted_on=TOMORROW)}
    result = replayed([*last, *day_of(TOMORROW, [9_000])], listings=listings, last=TOMORROW)
    assert fills(result) == [("09:03", "BUY", 10_060), ("15:30", "SELL", 10_070)]
    assert [signal.trigger for signal in result.signals] == ["cross", "delisted"]


def test_a_strategy_of_daily_bars_is_refused() -> None:
    settings = StrategySettings(id="trend", kind="moving_average_cross", symbols=(SAMSUNG,))
    plan = ReplayPlan((settings,), RiskLimits(), SizingSettings(), CostSchedule(), 1, TODAY, TODAY)
    with pytest.raises(BadInput, match="strategies of minute bars"):
        run_minutes({SAMSUNG: day_of(TODAY, [1])}, plan, CALENDAR)
