"""This is what a sweep comes to: every row ranked, deflated by the number of tries, beside its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Self

from backtest.cells import Row, Window
from backtest.spaces import Space, Value, cell_key
from backtest.statistics import Moments, deflated_sharpe, probabilistic_sharpe, variance_of
from backtest.walks import Goal, figure


@dataclass(frozen=True, slots=True)
class Tries:
    """What luck had to choose from: how many trials were ever made, and how far apart their daily Sharpe ratios lie."""

    count: int
    variance: float

    @classmethod
    def of(cls, tried: Iterable[Row], window: Window) -> Self:
        """Count everything that was tried of a kind of strategy on some bars, whatever the question.

        The variance is that of all ratios over `window`, or else a second look at the best cell alone would find no
        luck in it; where there are fewer than two, of all that there are.
        """
        days = (window.first.isoformat(), window.last.isoformat())
        found = [((row.first, row.last), row.daily_sharpe) for row in tried]
        ratios = [(span, ratio) for span, ratio in found if ratio is not None]
        same = [ratio for span, ratio in ratios if span == days]
        every = [ratio for _, ratio in ratios]
        return cls(len(found), variance_of(same if len(same) > 1 else every))


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A row with what luck leaves of it. `neighbours` is the goal's mean in the cells one step away, None without.

    `probabilistic` and `deflated` are probabilities (`backtest.statistics`), None without a Sharpe ratio.
    """

    row: Row
    probabilistic: float | None
    deflated: float | None
    neighbours: float | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The goal over two axes, the median over all others; None where no cell was tried."""

    across: str
    down: str
    columns: tuple[Value, ...]
    lines: Mapping[Value, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """All rows, the best first; `tries` are all that were ever made on these bars, to deflate by."""

    ranked: tuple[RankedRow, ...]
    tries: int
    refused: int
    goal: Goal
    heat_map: HeatMap | None


def rank(rows: Sequence[Row], space: Space, goal: Goal, *, tries: Tries, refused: int = 0) -> Sweep:
    """Put the rows of one window in order, the most of the goal first, equals by their parameters."""
    by_cell = {cell_key(row.parameters): figure(row, goal) for row in rows}

    def ranked(row: Row) -> RankedRow:
        found = _moments(row)
        return RankedRow(
            row,
            probabilistic=None if found is None else probabilistic_sharpe(found),
            deflated=None
            if found is None
            else deflated_sharpe(found, tries=tries.count, variance=tries.variance),
            neighbours=_neighbours(row, space, by_cell),
        )

    ordered = sorted(rows, key=lambda row: (-figure(row, goal), row.key))
    map_of_goal = heat_map(rows, space, goal)
    return Sweep(tuple(map(ranked, ordered)), tries.count, refused, goal, map_of_goal)


def _moments(row: Row) -> Moments | None:
    if row.daily_sharpe is None or row.skewness is None or row.kurtosis is None:
        return None
    return Moments(row.days, row.daily_sharpe, row.skewness, row.kurtosis)


def _neighbours(row: Row, space: Space, by_cell: Mapping[str, float]) -> float | None:
    keys = map(cell_key, space.neighbours(space.cell_of(row.parameters)))
    found = [by_cell[key] for key in keys if key in by_cell]
    finite = [value for value in found if value > float("-inf")]
    return fmean(finite) if finite else None


def heat_map(rows: Sequence[Row], space: Space, goal: Goal) -> HeatMap | None:
    """Lay the goal out over the first two axes that have more than one value; None below two such axes."""
    wide = [axis for axis in space.axes if len(axis.values) > 1]
    if len(wide) <= 1:
        return None
    down, across = wide[:2]
    places: dict[tuple[Value, Value], list[float]] = {}
    for row in rows:
        cell, value = space.cell_of(row.parameters), figure(row, goal)
        if value > float("-inf"):
            places.setdefault((cell[down.name], cell[across.name]), []).append(value)
    lines = {
        value: tuple(
            median(found) if (found := places.get((value, other))) else None
            for other in across.values
        )
        for value in down.values
    }
    return HeatMap(across.name, down.name, across.values, lines)
