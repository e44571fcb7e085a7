"""This is the command `sweep`: many parameters of one strategy, in one table that counts its tries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from adapters.places import require_place
from adapters.reports.sweep_pages import write_sweep
from adapters.tables import require_ending, write_table
from backtest.cells import possible
from backtest.sweeps import rank
from deployments.console.assumptions import Assumptions
from deployments.console.backtests import AS_IT_IS, NOTHING, Question
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, paper, print_json, print_table
from deployments.console.trials import Trying, finish, research
from tasks.sweeps import sweep_document

USUAL: Final = Trying()
SHOWN: Final = 15
"""Rows on the screen; all of them are in the table."""
FIGURES: Final = (
    Column("total_return", "signed_percent"),
    Column("max_drawdown", "percent"),
    Column("sharpe"),
    Column("trades", "count"),
    Column("probabilistic_sharpe", "percent"),
    Column("deflated_sharpe", "percent"),
    Column("neighbours"),
)


def sweep(
    *axes: Annotated[str, option("axes")],
    strategy: Annotated[str, option("backtest_strategy", name="--strategy")] = "",
    question: Question = NOTHING,
    assumptions: Assumptions = AS_IT_IS,
    trying: Trying = USUAL,
    table: Annotated[Path | None, option("table")] = None,
) -> None:
    """Try every cell that is not finished yet, then write table and page, and show the best."""
    if table:
        require_ending(table)
    require_place("--table", table)
    require_place("--html", trying.html)
    spread = trying.spread()  # it gets ready while the bars are read
    found = research(strategy, axes, question, assumptions)
    cells = found.space.cells(trying.random, seed=trying.seed)
    trials, refused = possible(found.question, found.window, cells)
    rows = finish(found, trials, spread)
    ranked = rank(list(rows.values()), found.space, trying.goal, tries=found.tries, refused=refused)
    document = sweep_document(found.question, found.space, ranked)
    table = table or found.page(".csv", trying.choice)
    page = trying.html or found.page(".html", trying.choice)
    write_table(table, document["rows"])
    write_sweep(document, page, wording())
    if trying.as_json:
        print_json({**document, "table": str(table), "page": str(page)})
    else:
        _print(document, table, page)


def _print(document: Mapping[str, Any], table: Path, page: Path) -> None:
    title = say("title.sweep", strategy=document["strategy_id"], tries=document["tries"])
    axes = [Column(name, is_word=True) for name in document["axes"]]
    print_table(title, [*axes, *FIGURES], document["rows"][:SHOWN])
    paper().print(say("sweep.table", path=table), soft_wrap=True)
    paper().print(say("sweep.page", path=page), soft_wrap=True)
