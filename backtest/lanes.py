"""This is one symbol's bars and decisions in columns, searched for the next day on which something happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np

from strategies.base import BarColumns, Decisions, Integers
from strategies.exits import ExitLevels
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol
from trading.sessions import KST

NEVER: Final = 2**62
"""Later than every bar and every day, above every price."""

_FIRST_LOOK: Final = 32
"""Bars in which most positions end; each further look is at four times as many."""


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One symbol's past. Bars are told by index, days are ordinals."""

    instrument: Instrument
    columns: BarColumns
    decisions: Decisions
    warm_up: int
    symbol: Symbol = field(init=False)
    days: Integers = field(init=False)
    _exits: Integers = field(init=False)

    def __post_init__(self) -> None:
        """Find the bars that decide to leave, and keep at hand what every search asks for."""
        object.__setattr__(self, "symbol", self.instrument.symbol)
        object.__setattr__(self, "days", self.columns.days)
        object.__setattr__(self, "_exits", self._flagged(self.decisions.exit))

    def entries(self) -> Iterator[int]:
        """Give the bars that decide to enter or how much to hold, warm ones only."""
        weight = self.decisions.weight
        flags = self.decisions.entry
        yield from self._flagged(flags if weight is None else flags | ~np.isnan(weight)).tolist()

    def index(self, day: int) -> int | None:
        """Find the bar of a day."""
        found = int(self.days.searchsorted(day))
        return found if found < len(self.days) and self.days[found] == day else None

    def day_of(self, index: int) -> int:
        """Give the day of a bar, NEVER behind the last one."""
        return int(self.days[index]) if index < len(self.days) else NEVER

    def close_before(self, day: int) -> int | None:
        """Give the last close before a day, None when there is none."""
        before = self.last_before(day)
        return None if before < 0 else int(self.columns.close[before])

    def last_before(self, day: int) -> int:
        """Find the last bar before a day, -1 when there is none."""
        return int(self.days.searchsorted(day)) - 1

    def next_exit(self, index: int) -> int:
        """Give the first bar from `index` on that decides to leave."""
        found = int(self._exits.searchsorted(index))
        return int(self._exits[found]) if found < len(self._exits) else NEVER

    def next_reach(self, index: int, levels: ExitLevels) -> int:
        """Give the first bar from `index` on that reaches a level, at its opening or later."""
        if levels.stop is None and levels.target is None:
            return NEVER
        start, width = index, _FIRST_LOOK
        while start < len(self.days):
            reached = self._reached(slice(start, start + width), levels)
            first = int(reached.argmax())
            if reached[first]:
                return start + first
            start, width = start + width, width * 4
        return NEVER

    def bar(self, index: int) -> Bar:
        """Give one bar as the exchange made it."""
        day = date.fromordinal(int(self.days[index]))
        columns = self.columns
        return Bar(
            symbol=self.symbol,
            interval=Interval.DAY,
            trading_day=day,
            at=datetime.combine(day, time(), KST).astimezone(UTC),
            open=int(columns.open[index]),
            high=int(columns.high[index]),
            low=int(columns.low[index]),
            close=int(columns.close[index]),
            volume=int(columns.volume[index]),
        )

    def _flagged(self, flags: np.ndarray) -> Integers:
        found = np.flatnonzero(flags)
        return found[found >= self.warm_up - 1]

    def _reached(self, bars: slice, levels: ExitLevels) -> np.ndarray:
        opening, columns = self.columns.open[bars], self.columns
        stop = -NEVER if levels.stop is None else levels.stop
        target = NEVER if levels.target is None else levels.target
        is_low = np.minimum(opening, columns.low[bars]) <= stop
        return is_low | (np.maximum(opening, columns.high[bars]) >= target)
