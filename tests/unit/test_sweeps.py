"""A sweep's table is honest: ranked, deflated by every try, and beside its neighbours."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, median

import pytest

from backtest.cells import Row, Window, possible, try_cell
from backtest.spaces import Space, read_axis
from backtest.statistics import Moments, deflated_sharpe, probabilistic_sharpe, variance_of
from backtest.sweeps import Tries, heat_map, rank
from backtest.walks import Goal
from tests.sweep_worlds import DAYS, SPACE, WHOLE, a_question

TRIALS, REFUSED = possible(a_question(), WHOLE, SPACE.cells())
ROWS = [try_cell(a_question(), trial) for trial in TRIALS]
TRIED = Tries.of(ROWS, WHOLE)


def by_cell(fast: int, slow: int) -> Row:
    """Find a row."""
    return next(row for row in ROWS if row.parameters == {"fast": fast, "slow": slow})


def test_rows_are_ranked_by_the_goal_and_none_is_lost() -> None:
    for goal in Goal:
        sweep = rank(ROWS, SPACE, goal, tries=TRIED, refused=REFUSED)
        values = [getattr(each.row, goal) for each in sweep.ranked]
        assert values == sorted(values, reverse=True)
        assert {each.row.key for each in sweep.ranked} == {row.key for row in ROWS}
        assert (sweep.tries, sweep.refused) == (11, 1)


def test_a_row_without_the_figure_comes_last() -> None:
    idle = replace(ROWS[0], key="idle", sharpe=None, daily_sharpe=None, skewness=None)
    last = rank([idle, *ROWS[1:]], SPACE, Goal.SHARPE, tries=TRIED).ranked[-1]
    assert (last.row.key, last.probabilistic, last.deflated) == ("idle", None, None)


def test_every_try_deflates_and_earlier_ones_count() -> None:
    few = rank(ROWS, SPACE, Goal.SHARPE, tries=TRIED).ranked[0]
    many = rank(ROWS, SPACE, Goal.SHARPE, tries=replace(TRIED, count=5_000)).ranked[0]
    row = few.row
    assert row.daily_sharpe is not None
    assert row.skewness is not None
    assert row.kurtosis is not None
    found = Moments(row.days, row.daily_sharpe, row.skewness, row.kurtosis)
    variance = variance_of([each.daily_sharpe for each in ROWS if each.daily_sharpe is not None])
    assert few.deflated == deflated_sharpe(found, tries=len(ROWS), variance=variance)
    assert few.probabilistic == probabilistic_sharpe(found)
    assert many.deflated is not None
    assert many.deflated < few.deflated < few.probabilistic


def test_a_second_look_at_the_best_alone_proves_no_more_than_the_first() -> None:
    best = rank(ROWS, SPACE, Goal.SHARPE, tries=TRIED).ranked[0]
    again = rank([best.row], SPACE, Goal.SHARPE, tries=Tries.of(ROWS, WHOLE)).ranked[0]
    assert again.deflated == best.deflated
    assert best.probabilistic is not None
    assert again.deflated is not None
    assert again.deflated < best.probabilistic


def test_shorter_trainings_are_tries_and_spread_no_others() -> None:
    training = Window(DAYS[0], DAYS[60])
    shorter = [try_cell(a_question(), replace(each, window=training)) for each in TRIALS]
    both = Tries.of([*shorter, *ROWS], WHOLE)
    assert (both.count, both.variance) == (2 * TRIED.count, TRIED.variance)
    assert Tries.of([*shorter, ROWS[0]], WHOLE).variance > 0, "one alone has no spread of its own"


def test_neighbours_tell_whether_a_good_cell_stands_alone() -> None:
    found = {each.row.key: each for each in rank(ROWS, SPACE, Goal.SHARPE, tries=TRIED).ranked}
    middle = by_cell(3, 10)
    near = [by_cell(2, 10), by_cell(5, 10), by_cell(3, 5), by_cell(3, 15)]
    expected = fmean(row.sharpe for row in near if row.sharpe is not None)
    assert found[middle.key].neighbours == pytest.approx(expected)
    lonely = rank([middle], SPACE, Goal.SHARPE, tries=TRIED).ranked[0]
    assert lonely.neighbours is None


def test_the_heat_map_has_a_place_for_every_cell_and_a_gap_where_none_was_tried() -> None:
    found = heat_map(ROWS, SPACE, Goal.SHARPE)
    assert found is not None
    assert (found.down, found.across, found.columns) == ("fast", "slow", (5, 10, 15, 20))
    assert found.lines[3] == tuple(by_cell(3, slow).sharpe for slow in (5, 10, 15, 20))
    assert found.lines[5][0] is None


def test_a_third_axis_is_told_by_its_median() -> None:
    space = Space((*SPACE.axes, read_axis("volume_window=1,2,3")))
    rows = [
        replace(
            by_cell(2, 10),
            key=str(n),
            sharpe=value,
            parameters={"fast": 2, "slow": 10, "volume_window": n},
        )
        for n, value in ((1, 0.5), (2, 3.0), (3, 0.7))
    ]
    found = heat_map(rows, space, Goal.SHARPE)
    assert found is not None
    assert found.lines[2][1] == median([0.5, 3.0, 0.7])


def test_one_axis_makes_no_map() -> None:
    assert (
        heat_map(ROWS, Space((read_axis("fast=2,3,5"), read_axis("slow=10"))), Goal.SHARPE) is None
    )
