"""This is the breakout: buy what closes above its Bollinger band, sell it so many ranges below its highest close."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import numpy as np
from pydantic import Field

from strategies.base import BarColumns, Decisions, Integers, Strategy
from strategies.exits import Trigger
from strategies.indicators import (
    average,
    crossed_above,
    rolling_deviation,
    rolling_maximum,
    rolling_sum,
    true_range,
)


class Breakout(Strategy):
    """Enter when the close rises above the upper band, leave when it falls below the trailing level.

    The upper band is the average of `window` closes plus `width` standard deviations (of all of them, not of a
    sample), bar i included. The trailing level lies `trail` average true ranges below the highest close of the
    same window. Both comparisons are made in whole numbers: window * close - sum > width * deviation, where the
    deviation is window times the standard deviation, rounded down.
    """

    kind: ClassVar[str] = "breakout"
    trigger: ClassVar[Trigger] = Trigger.BREAKOUT

    window: int = Field(
        default=20, ge=2, le=250, description="days of the band and of the highest close"
    )
    width: Decimal = Field(
        default=Decimal(2),
        gt=0,
        le=10,
        decimal_places=2,
        description="standard deviations of the band",
    )
    range_window: int = Field(
        default=14, ge=1, le=250, description="days of the average true range"
    )
    trail: Decimal = Field(
        default=Decimal(3),
        gt=0,
        le=20,
        decimal_places=2,
        description="ranges that a close may fall",
    )

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: two bands, and a close before the first range."""
        return max(self.window, self.range_window) + 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar; nothing before `warm_up` bars are there."""
        close, since = columns.close, self.warm_up - 1
        sums = rolling_sum(close, self.window)
        deviation = rolling_deviation(close, self.window)
        ranges = rolling_sum(true_range(columns), self.range_window)
        highest = rolling_maximum(close, self.window)
        width, parts = self.width.as_integer_ratio()
        fallen = self._fallen_too_far(highest - close, ranges)
        fallen[:since] = False
        middle, atr = average(sums, self.window), average(ranges, self.range_window)
        return Decisions(
            entry=crossed_above(
                (self.window * close - sums) * parts, width * deviation, since=since
            ),
            exit=fallen,
            indicators={
                "upper": middle + float(self.width) * deviation / self.window,
                "trail": np.where(np.isnan(middle), np.nan, highest - float(self.trail) * atr),
                "atr": atr,
            },
        )

    def _fallen_too_far(self, fall: Integers, ranges: Integers) -> np.ndarray:
        trail, parts = self.trail.as_integer_ratio()
        return fall * self.range_window * parts > trail * ranges
