"""This is the geometry of charts: values to coordinates, and round numbers for axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, floor, log10

ROUND_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values `low`..`high` to coordinates `start`..`end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Give the coordinate of `value`; the middle when there is only one value."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def padded(values: Iterable[float], *, share: float) -> tuple[float, float]:
    """Give the range of `values` widened by `share` of it on both sides, never empty."""
    listed = list(values)
    low, high = min(listed), max(listed)
    margin = (high - low) * share or abs(high) * share or 1
    return low - margin, high + margin


def round_ticks(low: float, high: float, *, count: int) -> tuple[float, ...]:
    """Give about `count` round values within `low`..`high`."""
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = power * next(m for m in ROUND_STEPS if m * power >= raw * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return tuple(n * step for n in range(first, last + 1))


def day_ticks(days: Sequence[date], *, count: int) -> tuple[int, ...]:
    """Give at most `count` positions in `days` worth a label: months that begin, else evenly spread days."""
    months = [i + 1 for i, (a, b) in enumerate(pairwise(days)) if a.month != b.month]
    positions = months if len(months) > 1 else list(range(len(days)))
    stride = max(ceil(len(positions) / count), 1)
    return tuple(positions[::stride])
