"""This is the RSI reversal: buy what has fallen much and begins to recover, sell it when it has."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from strategies.base import BarColumns, Decisions, Flags, Strategy
from strategies.exits import Trigger
from strategies.indicators import changes, rolling_sum


class RsiReversal(Strategy):
    """Enter when the RSI comes back from below `level`, leave when it has reached `leave`.

    The RSI is Cutler's, 100 * gains / (gains + losses) over the last `window` changes of the close: plain sums
    forget, so it is the same however far back the bars go, where Wilder's never forgets its beginning. Both sides
    of every comparison are whole numbers.
    """

    kind: ClassVar[str] = "rsi_reversal"
    trigger: ClassVar[Trigger] = Trigger.REVERSAL

    window: int = Field(
        default=14, ge=2, le=250, description="changes of the close that are summed"
    )
    level: int = Field(default=30, ge=1, le=49, description="RSI below which it has fallen much")
    leave: int = Field(default=60, ge=50, le=99, description="RSI at which it has recovered")
    trend: int | None = Field(
        default=100,
        ge=2,
        le=1000,
        description="days of the average that the close must be above on entry; null to enter in any trend",
    )

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: an RSI, the one before it, and the average."""
        return max(self.window + 2, self.trend or 0)

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar; nothing before `warm_up` bars are there."""
        moves = changes(columns.close)
        gains = rolling_sum(np.maximum(moves, 0), self.window)
        total = gains + rolling_sum(np.maximum(-moves, 0), self.window)
        is_known = np.arange(len(columns)) >= self.window
        below = (100 * gains < self.level * total) & is_known
        recovers = np.zeros(len(columns), dtype=np.bool_)
        recovers[1:] = below[:-1] & ~below[1:]
        has_moved = total > 0
        shown = np.divide(100 * gains, total, out=np.full(len(columns), 50.0), where=has_moved)
        return Decisions(
            entry=recovers & has_moved & self._is_in_trend(columns),
            exit=has_moved & (100 * gains >= self.leave * total) & is_known,
            indicators={
                "rsi": np.where(is_known, shown, np.nan),
                "level": np.full(len(columns), float(self.level)),
                "leave": np.full(len(columns), float(self.leave)),
            },
        )

    def _is_in_trend(self, columns: BarColumns) -> Flags:
        if self.trend is None:
            return np.ones(len(columns), dtype=np.bool_)
        since = np.arange(len(columns)) >= self.trend - 1
        return since & (columns.close * self.trend > rolling_sum(columns.close, self.trend))
