"""This is the strategy of docs/plugins.md: enter above the highest close of so many days, leave below the lowest."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from strategies.base import BarColumns, Decisions, Strategy

INTERFACE = 1


class Breakout(Strategy):
    """Look at the closes of the `days` before each bar, the bar itself left out."""

    kind: ClassVar[str] = "breakout"

    days: int = Field(default=20, ge=2, le=250, description="days that a new high has to beat")

    @property
    def warm_up(self) -> int:
        """So many days, and the one that beats them."""
        return self.days + 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar from the ones before it."""
        close = columns.close.astype(np.float64)
        highest, lowest = (np.full(len(close), np.nan) for _ in range(2))
        if len(close) > self.days:
            before = sliding_window_view(close[:-1], self.days)
            highest[self.days :], lowest[self.days :] = before.max(axis=1), before.min(axis=1)
        return Decisions(
            entry=close > highest,
            exit=close < lowest,
            indicators={"highest": highest, "lowest": lowest},
        )
