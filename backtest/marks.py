"""This is what an account is worth at every close, in columns, from its fills alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np

from backtest.lanes import Lane
from strategies.base import Integers
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Won at each close of `days` (ordinals): in cash, and in holdings. `start` is what was paid in."""

    days: Integers
    cash: Integers
    invested: Integers
    start: int

    def __add__(self, other: Marks) -> Marks:
        """Give the curve of both accounts together, over the same days."""
        return Marks(
            self.days,
            self.cash + other.cash,
            self.invested + other.invested,
            self.start + other.start,
        )

    def point(self, index: int) -> EquityPoint:
        """Give one point of the curve, counted from 0."""
        closing = int(self.cash[index] + self.invested[index])
        opening = int(self.cash[index - 1] + self.invested[index - 1]) if index else self.start
        return EquityPoint(date.fromordinal(int(self.days[index])), opening, closing)

    def points(self) -> tuple[EquityPoint, ...]:
        """Give the curve as a report reads it."""
        closings = (self.cash + self.invested).tolist()
        openings = [self.start, *closings[:-1]]
        days = map(date.fromordinal, self.days.tolist())
        return tuple(map(EquityPoint, days, openings, closings))


class Points(Sequence[EquityPoint]):
    """The points of a curve, made when somebody goes through them: that takes as long as ten trades."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def __len__(self) -> int:
        """Count the days."""
        return len(self._marks.days)

    @overload
    def __getitem__(self, place: int) -> EquityPoint: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[EquityPoint, ...]: ...

    def __getitem__(self, place: int | slice) -> EquityPoint | tuple[EquityPoint, ...]:
        """Give one point, or some."""
        if isinstance(place, slice):
            return self._points[place]
        return self._marks.point(range(len(self))[place])

    def __iter__(self) -> Iterator[EquityPoint]:
        """Give them one after the other."""
        return iter(self._points)

    def __eq__(self, other: object) -> bool:
        """Tell whether another curve has the same points."""
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Give equal curves one hash."""
        return hash(self._points)

    def closings(self) -> tuple[tuple[date, int], ...]:
        """Give day and closing of each point, without making it."""
        marks = self._marks
        days = map(date.fromordinal, marks.days.tolist())
        return tuple(zip(days, (marks.cash + marks.invested).tolist(), strict=True))

    @cached_property
    def _points(self) -> tuple[EquityPoint, ...]:
        return self._marks.points()


def closings_of(curve: Sequence[EquityPoint]) -> tuple[tuple[date, int], ...]:
    """Give day and closing of each point of a curve."""
    if isinstance(curve, Points):
        return curve.closings()
    return tuple((point.trading_day, point.closing) for point in curve)


def days_of(lanes: Iterable[Lane], first: int, last: int) -> Integers:
    """Give the days from `first` to `last` on which anything traded."""
    if first > last:
        return np.zeros(0, dtype=np.int64)
    has_bar = np.zeros(last - first + 1, dtype=np.bool_)
    for lane in lanes:
        inside = lane.days[(lane.days >= first) & (lane.days <= last)]
        has_bar[inside - first] = True
    return np.flatnonzero(has_bar) + first


def mark(
    days: Integers, executions: Sequence[Execution], lanes: Mapping[Symbol, Lane], cash: int
) -> Marks:
    """Mark an account that began with `cash` at the close of each of `days`."""
    places = np.searchsorted(days, [e.trading_day.toordinal() for e in executions])
    flows = np.zeros(len(days), dtype=np.int64)
    np.add.at(flows, places, [e.cash_change for e in executions])
    invested = np.zeros(len(days), dtype=np.int64)
    steps: defaultdict[Symbol, list[tuple[int, int]]] = defaultdict(list)
    for execution, place in zip(executions, places.tolist(), strict=True):
        sign = 1 if execution.side is Side.BUY else -1
        steps[execution.symbol].append((place, sign * execution.quantity))
    for symbol, changes in steps.items():
        _add_holding(invested, days, lanes[symbol], changes)
    return Marks(days, cash + np.cumsum(flows), invested, cash)


def _add_holding(
    invested: Integers, days: Integers, lane: Lane, changes: Sequence[tuple[int, int]]
) -> None:
    """Add what one symbol was worth while it was held, at its last close of each day."""
    quantity = 0
    for (since, change), (until, _) in pairwise([*changes, (len(days), 0)]):
        quantity += change
        if quantity and until > since:
            bars = np.searchsorted(lane.days, days[since:until], side="right") - 1
            invested[since:until] += quantity * lane.columns.close[bars]
