"""A walk-forward chooses on what was known, and tells only what came after."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.cells import Question, Row, Trial, Window, possible, trade, try_cell
from backtest.curves import curve_figures, curve_returns
from backtest.walks import FEWEST_DAYS, Fold, Goal, Walk, best, folds, trading_days, walk
from tests.sweep_worlds import DAYS, SPACE, UNIVERSE, a_question, changed_after, trial
from trading.errors import BadInput

FOLDS = folds(DAYS, training=80, test=40)


def trials_of(window: Window) -> list[Trial]:
    """Give the cells that the strategy takes."""
    trials, _ = possible(a_question(), window, SPACE.cells())
    return trials


def walked(question: Question, pairs: Sequence[Fold] = FOLDS) -> Walk:
    """Try everything and choose."""
    tried = chain.from_iterable(trials_of(fold.training) for fold in pairs)
    rows = {each.key: try_cell(question, each) for each in tried}
    return walk(question, pairs, trials_of, rows, Goal.SHARPE)


WALKED = walked(a_question())


@pytest.mark.parametrize("is_anchored", [False, True])
@pytest.mark.parametrize(("training", "test"), [(80, 40), (60, 33), (150, 20), (20, 90)])
def test_folds_follow_each_other_and_no_day_is_both(
    training: int, test: int, *, is_anchored: bool
) -> None:
    found = folds(DAYS, training=training, test=test, is_anchored=is_anchored)
    place = {day: at for at, day in enumerate(DAYS)}
    for fold in found:
        assert place[fold.training.last] + 1 == place[fold.test.first]
        assert (fold.training.first == DAYS[0]) or not is_anchored
        days = place[fold.training.last] - place[fold.training.first] + 1
        assert days == training or (is_anchored and days > training)
    for one, other in pairwise(found):
        assert place[one.test.last] + 1 == place[other.test.first], "no day is tested twice"
    assert len(DAYS) - place[found[-1].test.last] <= FEWEST_DAYS, "only a rest is left out"


@pytest.mark.parametrize(("training", "test"), [(19, 60), (60, 19), (len(DAYS) - 10, 60)])
def test_windows_that_the_days_do_not_hold_are_refused(training: int, test: int) -> None:
    with pytest.raises(BadInput, match=r"train|test"):
        folds(DAYS, training=training, test=test)


@settings(max_examples=2, deadline=None)
@given(st.integers(0, len(FOLDS) - 1), st.integers(3, 1_000))
def test_no_fold_sees_a_bar_of_its_test_while_choosing(number: int, seed: int) -> None:
    fold = FOLDS[number]
    elsewhere = walked(a_question(changed_after(fold.training.last, seed)), [fold])
    (step,) = elsewhere.steps
    assert step.chosen == WALKED.steps[number].chosen, (
        "chosen by its training alone, to the last figure"
    )
    assert step.tested != WALKED.steps[number].tested, "while the test is another one"


def test_the_figures_are_those_of_the_tests_alone() -> None:
    question = a_question()
    parts = []
    for fold, step in zip(FOLDS, WALKED.steps, strict=True):
        cell = next(t.cell for t in trials_of(fold.training) if t.key == step.chosen.key)
        parts.append(curve_returns(trade(question, Trial(fold.test, cell)).equity))
    assert WALKED.figures == curve_figures(np.concatenate(parts))
    first, last = FOLDS[0].test.first, FOLDS[-1].test.last
    assert WALKED.figures.days == sum(first <= day <= last for day in DAYS)


def test_each_fold_takes_what_did_best_in_its_training() -> None:
    for fold, step in [*zip(FOLDS, WALKED.steps, strict=True)][:1]:
        sharpes = [try_cell(a_question(), each).sharpe for each in trials_of(fold.training)]
        assert step.chosen.sharpe == max(value for value in sharpes if value is not None)
        assert step.tested.first == fold.test.first.isoformat()


def test_the_best_has_most_of_the_goal_and_the_first_of_equals_wins() -> None:
    rows = [try_cell(a_question(), each) for each in trials_of(FOLDS[0].training)[:4]]
    assert best(rows, Goal.TOTAL_RETURN).total_return == max(row.total_return for row in rows)
    assert best([rows[0], rows[0]], Goal.SHARPE) is rows[0]
    with pytest.raises(BadInput, match="finished"):
        best([], Goal.SHARPE)


def test_a_cell_that_never_traded_is_not_the_best() -> None:
    idle = try_cell(a_question(), trial(Window(DAYS[0], DAYS[5])))
    lost: Row = min((s.chosen for s in WALKED.steps), key=lambda row: row.sharpe or 0)
    assert idle.sharpe is None
    assert best([idle, lost], Goal.SHARPE) is lost


def test_the_days_are_those_on_which_anything_traded() -> None:
    assert trading_days(UNIVERSE, DAYS[2], DAYS[9]) == DAYS[2:10]


def test_the_efficiency_is_the_tests_growth_over_the_trainings() -> None:
    trained = np.mean([step.chosen.cagr for step in WALKED.steps])
    assert WALKED.efficiency == pytest.approx(WALKED.figures.cagr / trained)


def test_the_curve_is_what_cash_became_in_the_tests() -> None:
    curve = WALKED.curve(10_000_000)
    assert [point.trading_day for point in curve] == [
        day for day in DAYS if FOLDS[0].test.first <= day <= FOLDS[-1].test.last
    ]
    assert curve[-1].closing == round(10_000_000 * (1 + WALKED.figures.total_return))
    assert all(one.closing == other.opening for one, other in pairwise(curve))
