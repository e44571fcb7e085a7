"""Pages of sweeps and walks hold themselves, count every try, and warn of luck and of lonely peaks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.reports.sweep_pages import MOST_ROWS, render_sweep, render_walk
from adapters.wording import Wording
from backtest.cells import possible, try_cell
from backtest.sweeps import Tries, rank
from backtest.walks import Goal, folds, walk
from tasks.sweeps import FIGURES, sweep_document, walk_document
from tests.sweep_worlds import DAYS, SPACE, WHOLE, a_question

KO, EN = Wording("ko"), Wording("en")
QUESTION = a_question()
TRIALS, REFUSED = possible(QUESTION, WHOLE, SPACE.cells())
ROWS = [try_cell(QUESTION, t) for t in TRIALS]
TRIED = replace(Tries.of(ROWS, WHOLE), count=40)
RANKED = rank(ROWS, SPACE, Goal.SHARPE, tries=TRIED, refused=REFUSED)
SWEEP = sweep_document(QUESTION, SPACE, RANKED)


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    """A walk-forward over two folds."""
    pairs = folds(DAYS, training=100, test=50)
    trials = {pair.training: possible(QUESTION, pair.training, SPACE.cells())[0] for pair in pairs}
    rows = {t.key: try_cell(QUESTION, t) for found in trials.values() for t in found}
    found = walk(QUESTION, pairs, trials.__getitem__, rows, Goal.SHARPE)
    return walk_document(QUESTION, SPACE, found, Goal.SHARPE, tries=22)


def loads_nothing(page: str) -> bool:
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    return not re.search(r"https?:|\bsrc=|@import|url\(|<script|<link", without_names)


@pytest.mark.parametrize("wording", [KO, EN])
def test_a_sweeps_page_holds_itself_and_says_all_in_words(wording: Wording) -> None:
    page = render_sweep(SWEEP, wording)
    assert loads_nothing(page)
    assert not re.search(r"sweep\.|console\.|report\.|backtest\.", page)


@pytest.mark.parametrize("wording", [KO, EN])
def test_a_walks_page_holds_itself_and_says_all_in_words(
    walked: dict[str, Any], wording: Wording
) -> None:
    page = render_walk(walked, wording)
    assert loads_nothing(page)
    assert not re.search(r"walk\.|sweep\.|console\.|report\.", page)
    assert page.count("<svg") == 2


def test_the_table_has_every_cell_with_its_parameters_and_what_luck_leaves() -> None:
    assert len(SWEEP["rows"]) == 11
    for row in SWEEP["rows"]:
        proven = {"probabilistic_sharpe", "deflated_sharpe", "neighbours"}
        assert set(row) == {"fast", "slow", *FIGURES} | proven
        assert row["deflated_sharpe"] <= row["probabilistic_sharpe"]


def test_the_number_of_tries_is_on_the_page_and_warns() -> None:
    page = render_sweep(SWEEP, KO)
    assert '<div class="value">40</div>' in page
    assert "40번 시도했습니다" in page
    sure = SWEEP | {"rows": [SWEEP["rows"][0] | {"deflated_sharpe": 0.96, "neighbours": 9.0}]}
    assert 'class="suspicions"' not in render_sweep(sure, KO)


def test_a_peak_beside_bad_cells_warns() -> None:
    rows = [SWEEP["rows"][0] | {"deflated_sharpe": 0.99, "sharpe": 2.0, "neighbours": 0.9}]
    assert "한 걸음 옆의 평균은 0.9입" in render_sweep(SWEEP | {"rows": rows}, KO)


def test_the_map_has_a_field_for_every_cell() -> None:
    page = render_sweep(SWEEP, KO)
    field = page[page.index('<table class="heat">') : page.index("</table>")]
    assert field.count("<td") == 12
    assert field.count("--part") == 11
    one_axis = render_sweep(SWEEP | {"heat_map": None}, KO)
    assert '<table class="heat">' not in one_axis


def test_a_large_sweep_shows_the_best_and_counts_the_rest() -> None:
    rows = [SWEEP["rows"][0]] * (MOST_ROWS + 7)
    page = render_sweep(SWEEP | {"rows": rows}, KO)
    assert page.count("<tr>") < MOST_ROWS + 20
    assert "7칸은 표 파일에" in page


def test_a_walk_tells_trainings_and_tests_apart(walked: dict[str, Any]) -> None:
    first = walked["folds"][0]
    assert first["train_to"] < first["test_from"]
    assert first["trained"]["sharpe"] != first["tested"]["sharpe"]
    days = sum(fold["tested"]["days"] for fold in walked["folds"])
    assert walked["out_of_sample"]["days"] == days == len(walked["equity"])
    page = render_walk(walked, EN)
    assert f"{first['train_from']} ~ {first['train_to']}" in page
    assert "no bar after the last day" in page
