"""This is what a strategy answers as a table, and in which bars two answers differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from strategies.base import BarColumns, Decisions, Flags, Values

type Figure = str | int | date

ROUNDING: Final = 1e-9
"""By how much a figure may differ, as a part of it, when the same bars are added up in another order."""
_FLAGS: Final = ("entry", "exit")
_DECISIONS: Final = (*_FLAGS, "weight")


class Misshapen(Exception):
    """An answer that is not one flag and one figure for each bar."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Decisions as a table: one row for each name, one column for each bar."""

    names: tuple[str, ...]
    table: Values

    @classmethod
    def of(cls, decisions: Decisions, count: int) -> Answer:
        """Check that there is one flag and one figure for each of `count` bars.

        Raises:
            Misshapen: naming what has another shape.
        """
        rows: dict[str, Flags | Values] = {"entry": decisions.entry, "exit": decisions.exit}
        if decisions.weight is not None:
            rows["weight"] = decisions.weight
        for name in rows.keys() & decisions.indicators.keys():
            raise Misshapen(f"{name}: a decision, and no name of a figure")
        rows |= decisions.indicators
        for name, row in rows.items():
            if np.shape(row) != (count,):
                raise Misshapen(f"{name}: {np.shape(row)}, bars: {count}")
        return cls(tuple(rows), np.array(list(rows.values()), dtype=np.float64))

    def last(self) -> Answer:
        """Give what is decided at the last bar."""
        return Answer(self.names, self.table[:, -1:])

    def until(self, count: int) -> Answer:
        """Give what is decided at the first bars."""
        return Answer(self.names, self.table[:, :count])

    def since(self, first: int) -> Answer:
        """Give what is decided from bar `first` on."""
        return Answer(self.names, self.table[:, first:])

    def unlike(self, other: Answer, tolerance: float) -> Flags:
        """Flag every cell in which the two differ; figures may by `tolerance`, decisions by no more than rounding."""
        if self.names != other.names:
            raise Misshapen(f"{', '.join(self.names)} / {', '.join(other.names)}")
        parts = [[ROUNDING if name in _DECISIONS else tolerance] for name in self.names]
        same = np.isclose(self.table, other.table, rtol=np.array(parts), atol=0, equal_nan=True)
        return np.logical_not(same)


class Difference:
    """What differed, at how many bars, and the first of them."""

    def __init__(self, columns: BarColumns) -> None:
        self._columns = columns
        self._bars: set[int] = set()
        self._figures: dict[str, Figure] = {}

    def note(
        self, cells: Flags, one: Answer, other: Answer, *, first: int, **figures: Figure
    ) -> None:
        """Note the cells that differ; the first column is bar `first`."""
        if not cells.any():
            return
        bars = np.flatnonzero(cells.any(axis=0))
        place = int(bars[0])
        if not self._bars or first + place < min(self._bars):
            row = int(np.flatnonzero(cells[:, place])[0])
            self._figures = {
                "day": _moment(self._columns, first + place),
                "name": one.names[row],
                "one": _written(one.names[row], one.table[row, place]),
                "other": _written(one.names[row], other.table[row, place]),
                **figures,
            }
        self._bars.update(int(bar) + first for bar in bars)

    def figures(self) -> Mapping[str, Figure] | None:
        """Tell what differed, None when nothing did."""
        return {"count": len(self._bars), **self._figures} if self._bars else None


def _moment(columns: BarColumns, index: int) -> Figure:
    """Tell the day of a bar, of a minute bar its end, too."""
    day, minute = date.fromordinal(int(columns.days[index])), int(columns.minutes[index])
    return f"{day.isoformat()} {minute // 60:02}:{minute % 60:02}" if minute else day


def _written(name: str, value: float) -> str:
    return str(bool(value)).lower() if name in _FLAGS else f"{value:.6g}"
