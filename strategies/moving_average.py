"""This is the moving-average cross: enter when the fast average rises above the slow one with volume."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Self

from pydantic import Field, model_validator

from strategies.base import BarColumns, Decisions, Flags, Integers, Strategy
from strategies.indicators import average, crossed_above, rolling_sum
from trading.errors import InvalidSetting


class MovingAverageCross(Strategy):
    """Enter on a cross up whose volume is above its own average, leave on a cross down.

    Averages include the bar they stand at. Two averages are compared as integers, sum against sum, each
    multiplied by the other's window: `fast_sum * slow > slow_sum * fast`.
    """

    kind: ClassVar[str] = "moving_average_cross"

    fast: int = Field(default=50, ge=1, le=999, description="days of the fast average")
    slow: int = Field(default=200, ge=2, le=1000, description="days of the slow average")
    volume_window: int = Field(default=20, ge=1, le=1000, description="days of the volume average")
    volume_ratio: Decimal | None = Field(
        default=Decimal(1),
        gt=0,
        le=100,
        decimal_places=4,
        description="times its average that the volume must pass on entry; null to enter on any volume",
    )

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        if self.fast >= self.slow:
            raise InvalidSetting("fast", self.fast, f"fewer days than slow={self.slow}")
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: a cross compares two slow averages."""
        return max(self.slow + 1, self.volume_window)

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar; nothing before `warm_up` bars are there."""
        fast_sum = rolling_sum(columns.close, self.fast)
        slow_sum = rolling_sum(columns.close, self.slow)
        volume_sum = rolling_sum(columns.volume, self.volume_window)
        fast, slow = fast_sum * self.slow, slow_sum * self.fast
        since = self.warm_up - 1
        return Decisions(
            entry=crossed_above(fast, slow, since=since)
            & self._has_volume(columns.volume, volume_sum),
            exit=crossed_above(slow, fast, since=since),
            indicators={
                f"average_{self.fast}": average(fast_sum, self.fast),
                f"average_{self.slow}": average(slow_sum, self.slow),
                f"volume_average_{self.volume_window}": average(volume_sum, self.volume_window),
            },
        )

    def _has_volume(self, volume: Integers, volume_sum: Integers) -> Flags:
        numerator, denominator = (self.volume_ratio or Decimal(0)).as_integer_ratio()
        return volume * self.volume_window * denominator > volume_sum * numerator
