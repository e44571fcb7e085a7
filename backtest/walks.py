"""This is the walk-forward: parameters chosen on some days and tried on the next ones, again and again.

What is chosen on is never what is tried on: a fold's training ends on the day before its test begins, and a trial is
given no bar after its own window (`backtest.cells.Window.cut`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

from backtest.cells import Question, Row, Trial, Universe, Window, row_of, trade
from backtest.curves import CurveFigures, Returns, curve_figures, curve_returns
from backtest.spaces import Cell
from trading.equity import EquityPoint
from trading.errors import BadInput

FEWEST_DAYS: Final = 20
"""A shorter test says nothing; the rest at the end is left out."""


class Goal(StrEnum):
    """What the best parameters have most of, in their training."""

    SHARPE = "sharpe"
    SORTINO = "sortino"
    CALMAR = "calmar"
    TOTAL_RETURN = "total_return"


@dataclass(frozen=True, slots=True)
class Fold:
    """Days to choose on, and the days after them to try the choice on."""

    training: Window
    test: Window


@dataclass(frozen=True, slots=True)
class Step:
    """A fold with what was chosen in it, and how that did before and after."""

    fold: Fold
    chosen: Row
    tested: Row
    days: tuple[date, ...]
    returns: Returns


@dataclass(frozen=True, slots=True)
class Walk:
    """All steps, and the figures of the tests' returns one after the other: nothing of any training is in them.

    Each test begins with the cash alone; positions that are open at its end are marked at the close and not sold.
    """

    steps: tuple[Step, ...]
    figures: CurveFigures

    def curve(self, cash: int) -> tuple[EquityPoint, ...]:
        """Give what `cash` would have become in the tests, one after the other."""
        points, value = [], float(cash)
        for step in self.steps:
            for day, part in zip(step.days, step.returns.tolist(), strict=True):
                opening, value = round(value), value * (1 + part)
                points.append(EquityPoint(day, opening, round(value)))
        return tuple(points)

    @property
    def efficiency(self) -> float | None:
        """The tests' annual return over the mean one of the chosen trainings; None where that did not gain."""
        trained = sum(step.chosen.cagr for step in self.steps) / len(self.steps)
        return self.figures.cagr / trained if trained > 0 else None


def trading_days(universe: Universe, first: date, last: date) -> tuple[date, ...]:
    """Give the days from `first` to `last` on which anything of the universe traded."""
    days = np.unique(np.concatenate([bars.days for bars in universe.values()]))
    return tuple(day for day in map(date.fromordinal, map(int, days)) if first <= day <= last)


def folds(
    days: Sequence[date], *, training: int, test: int, is_anchored: bool = False
) -> tuple[Fold, ...]:
    """Cut the days into folds of so many days; an anchored training always begins with the first day.

    Raises:
        BadInput: for windows that the days do not hold.
    """
    for name, wanted in (("train", training), ("test", test)):
        if wanted < FEWEST_DAYS:
            raise BadInput(name, wanted, f"at least {FEWEST_DAYS} trading days")
    if training + FEWEST_DAYS > len(days):
        expected = f"fewer than the {len(days)} trading days of the data, {FEWEST_DAYS} left to try"
        raise BadInput("train", training, expected)
    starts = range(training, len(days) - FEWEST_DAYS + 1, test)
    return tuple(
        Fold(
            Window(days[0 if is_anchored else start - training], days[start - 1]),
            Window(days[start], days[min(start + test, len(days)) - 1]),
        )
        for start in starts
    )


def best(rows: Iterable[Row], goal: Goal) -> Row:
    """Give the row with most of the goal, the first of equals; one without the figure only when all are.

    Raises:
        BadInput: when there is no row.
    """
    listed = list(rows)
    if not listed:
        raise BadInput("rows", 0, "at least one finished cell")
    return max(listed, key=lambda row: figure(row, goal))


def figure(row: Row, goal: Goal) -> float:
    """Give what a row has of the goal, minus infinity where that has no meaning."""
    value: float | None = getattr(row, goal)
    return -np.inf if value is None else value


def walk(
    question: Question,
    pairs: Sequence[Fold],
    trials: Callable[[Window], Sequence[Trial]],
    rows: Mapping[str, Row],
    goal: Goal,
) -> Walk:
    """Choose in every fold among the finished `rows` (by key) of its trials, and try the choice on its test."""
    steps = tuple(_step(question, fold, trials(fold.training), rows, goal) for fold in pairs)
    return Walk(steps, curve_figures(np.concatenate([step.returns for step in steps])))


def _step(
    question: Question,
    fold: Fold,
    trials: Sequence[Trial],
    rows: Mapping[str, Row],
    goal: Goal,
) -> Step:
    chosen = best((rows[trial.key] for trial in trials if trial.key in rows), goal)
    cell: Cell = next(trial.cell for trial in trials if trial.key == chosen.key)
    tested = Trial(fold.test, cell)
    traded = trade(question, tested)
    days = tuple(map(date.fromordinal, traded.days.tolist()))
    return Step(fold, chosen, row_of(tested, traded), days, curve_returns(traded.equity))
