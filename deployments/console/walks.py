"""This is the command `walkforward`: parameters chosen on some days, tried on the next, and told from those alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

from adapters.places import require_place
from adapters.reports.sweep_pages import write_walk
from backtest.cells import Trial, Window, possible
from backtest.walks import folds, walk
from deployments.console.assumptions import Assumptions
from deployments.console.backtests import AS_IT_IS, NOTHING, Question
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, paper, print_facts, print_json, print_table
from deployments.console.trials import Research, Trying, finish, research
from tasks.sweeps import walk_document

USUAL: Final = Trying()
FOLDS: Final = (
    Column("train_from"),
    Column("train_to"),
    Column("parameters"),
    Column("trained_sharpe"),
    Column("test_from"),
    Column("test_to"),
    Column("tested_sharpe"),
    Column("tested_return", "signed_percent"),
    Column("tested_trades", "count"),
)
OUT: Final = (
    Column("days", "count"),
    Column("total_return", "signed_percent"),
    Column("cagr", "signed_percent"),
    Column("max_drawdown", "percent"),
    Column("sharpe"),
    Column("probabilistic_sharpe", "percent"),
    Column("efficiency", "percent"),
)


def walkforward(
    *axes: Annotated[str, option("axes")],
    train: Annotated[int, option("train")] = 500,
    test: Annotated[int, option("test")] = 125,
    is_anchored: Annotated[bool, option("anchored", name="--anchored")] = False,
    strategy: Annotated[str, option("backtest_strategy", name="--strategy")] = "",
    question: Question = NOTHING,
    assumptions: Assumptions = AS_IT_IS,
    trying: Trying = USUAL,
) -> None:
    """Try every cell in every training that is not finished yet, then walk, write the page and show the folds."""
    require_place("--html", trying.html)
    spread = trying.spread()  # it gets ready while the bars are read
    found = research(strategy, axes, question, assumptions)
    pairs = folds(found.days, training=train, test=test, is_anchored=is_anchored)
    by_window = {fold.training: _trials(found, fold.training, trying) for fold in pairs}
    rows = finish(found, list(chain.from_iterable(by_window.values())), spread)
    walked = walk(found.question, pairs, by_window.__getitem__, rows, trying.goal)
    tries = found.tries.count
    document = walk_document(found.question, found.space, walked, trying.goal, tries=tries)
    page = trying.html or found.page(".walk.html", trying.choice, train, test, is_anchored)
    write_walk(document, page, wording())
    if trying.as_json:
        print_json({**document, "page": str(page)})
    else:
        _print(document, page)


def _trials(found: Research, window: Window, trying: Trying) -> Sequence[Trial]:
    cells = found.space.cells(trying.random, seed=trying.seed)
    trials, _ = possible(found.question, window, cells)
    return trials


def _print(document: Mapping[str, Any], page: Path) -> None:
    rows = [_row(fold) for fold in document["folds"]]
    print_table(say("title.walk", strategy=document["strategy_id"]), FOLDS, rows)
    out = say("title.walk_out", tries=document["tries"])
    print_facts(out, OUT, document["out_of_sample"])
    paper().print(say("sweep.page", path=page), soft_wrap=True)


def _row(fold: Mapping[str, Any]) -> dict[str, Any]:
    chosen = ", ".join(f"{name}={value}" for name, value in fold["parameters"].items())
    tested = fold["tested"]
    return {
        **fold,
        "parameters": chosen,
        "trained_sharpe": fold["trained"]["sharpe"],
        "tested_sharpe": tested["sharpe"],
        "tested_return": tested["total_return"],
        "tested_trades": tested["trades"],
    }
