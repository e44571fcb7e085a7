"""This is the opening range breakout: enter when a minute closes above the first minutes' highest price."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import ClassVar, Final, Self

import numpy as np
from pydantic import Field, model_validator

from strategies.base import BarColumns, Decisions, Flags, Integers, Strategy, Values
from strategies.exits import Trigger
from trading.bars import Interval
from trading.errors import InvalidSetting
from trading.sessions import KST, session_of

MINUTES_OF_A_SESSION: Final = 390
"""From 9:00 to 15:30; a session has no more bars."""
_ABOVE_ANY_PRICE: Final = 10**10


class OpeningRangeBreakout(Strategy):
    """Enter on a minute that closes above the range, leave below it or before the close, once a day.

    The range is the highest and the lowest price of the session's first `minutes`. Minutes are counted from the
    opening, so that a session that begins late has its range, too. A day of which the first bar is not there for
    sure is not traded.
    """

    kind: ClassVar[str] = "opening_range_breakout"
    interval: ClassVar[Interval] = Interval.MINUTE
    trigger: ClassVar[Trigger] = Trigger.RANGE

    minutes: int = Field(default=30, ge=1, le=120, description="minutes that make the range")
    enter_until: int = Field(
        default=240, ge=2, le=380, description="minutes after the opening until which it may enter"
    )
    leave_after: int = Field(
        default=370, ge=3, le=380, description="minutes after the opening at which it leaves"
    )

    @model_validator(mode="after")
    def _are_in_order(self) -> Self:
        if self.minutes >= self.enter_until:
            expected = f"fewer minutes than enter_until={self.enter_until}"
            raise InvalidSetting("minutes", self.minutes, expected)
        if self.enter_until >= self.leave_after:
            expected = f"fewer minutes than leave_after={self.leave_after}"
            raise InvalidSetting("enter_until", self.enter_until, expected)
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: so many reach back to the day before, wherever they begin."""
        return MINUTES_OF_A_SESSION + 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every minute of every day that is there from its beginning."""
        since = _since_the_opening(columns)
        in_range = since <= self.minutes
        highest = _so_far_today(columns.days, np.where(in_range, columns.high, 0))
        lowest = _ABOVE_ANY_PRICE - _so_far_today(
            columns.days, np.where(in_range, _ABOVE_ANY_PRICE - columns.low, 0)
        )
        has_range = (highest > 0) & (columns.days > columns.days[:1])
        may_enter = has_range & ~in_range & (since <= self.enter_until)
        below = has_range & ~in_range & (columns.close < lowest)
        return Decisions(
            entry=may_enter & _rises_above(columns, highest),
            exit=below | (since >= self.leave_after),
            indicators={
                "range_high": _shown(highest, has_range),
                "range_low": _shown(lowest, has_range),
            },
        )


def _since_the_opening(columns: BarColumns) -> Integers:
    """Count the minutes from the day's opening to the end of each bar: 1 for the first."""
    days, places = np.unique(columns.days, return_inverse=True)
    openings = np.array([_opening(int(day)) for day in days], dtype=np.int64)
    return columns.minutes - openings[places]


@cache
def _opening(day: int) -> int:
    opens_at = session_of(date.fromordinal(day)).opens_at.astimezone(KST)
    return opens_at.hour * 60 + opens_at.minute


def _so_far_today(days: Integers, values: Integers) -> Integers:
    """Give the largest value of the day up to each bar: each day is lifted above all the ones before."""
    lifted = (days - days[:1]) * _ABOVE_ANY_PRICE
    largest: Integers = np.maximum.accumulate(values + lifted)
    return largest - lifted


def _rises_above(columns: BarColumns, level: Integers) -> Flags:
    """Flag the bars that close above the level while the bar before did not."""
    flags = np.zeros(len(columns), dtype=np.bool_)
    flags[1:] = (columns.close[1:] > level[1:]) & (columns.close[:-1] <= level[:-1])
    return flags


def _shown(level: Integers, is_known: Flags) -> Values:
    return np.where(is_known, level, np.nan)
