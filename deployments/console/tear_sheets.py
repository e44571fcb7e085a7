"""This is `maemae backtest --html`: the same question traded again by the exact engine, at four levels of cost, on one page."""

from __future__ import annotations

from pathlib import Path

from adapters.calendars import XkrxCalendar
from adapters.index_files import read_index
from adapters.reports.tear_sheets import TearSheet, write_tear_sheet
from backtest.conventions import run_convention
from backtest.options import CHANNEL, BacktestOptions, FillConvention
from deployments.console.assumptions import Assumptions
from deployments.console.backtests import Question, bars_asked, strategy_asked
from deployments.console.channel_backtests import channel_plan, index_of_database
from deployments.console.convention_backtests import calendar_of, plan_asked, settings_of
from deployments.console.speech import say, wording
from deployments.console.tables import paper
from tasks.tear_sheets import tear_sheet
from trading.indices import Benchmark


def write_page(
    path: Path,
    benchmark: Path | None,
    strategy: str,
    question: Question,
    assumptions: Assumptions,
) -> None:
    """Write the page, and say on standard error where it is.

    Raises:
        BadInput: for a question that has no answer, or a bad file of the index; then no page is written.
    """
    index = _index(benchmark, question)
    usual = FillConvention.NEXT_OPEN if question.kind else CHANNEL
    options = assumptions.options(usual)
    if options is None:
        sheet = _of_channel(strategy, question, assumptions, index)
    else:
        convention = assumptions.convention or usual
        sheet = _of_convention(strategy, question, options, convention, index)
    write_tear_sheet(sheet, path, wording())
    paper(is_error=True).print(say("backtest.page", path=path), soft_wrap=True)


def _index(benchmark: Path | None, question: Question) -> Benchmark | None:
    """Give the index of the file, else of the database, which a question about a file of bars is not asked for."""
    if benchmark is not None:
        return read_index(benchmark)
    return index_of_database() if question.data is None else None


def _of_channel(
    strategy: str, question: Question, assumptions: Assumptions, index: Benchmark | None
) -> TearSheet:
    calendar = XkrxCalendar()
    planned = channel_plan(
        strategy,
        question.data,
        question.first,
        question.last,
        cash=assumptions.cash,
        is_proposal=question.is_proposal,
        listings=question.listings,
    )
    with planned as (plan, bars):
        return tear_sheet(
            plan,
            lambda other: bars.run(other, calendar),
            bars.columns(plan.symbols),
            wording(),
            convention=CHANNEL,
            benchmark=index,
        )


def _of_convention(
    strategy: str,
    question: Question,
    options: BacktestOptions,
    convention: str,
    index: Benchmark | None,
) -> TearSheet:
    settings = None if question.kind else strategy_asked(strategy, question)
    wanted = question.codes or (settings.symbols if settings else ())
    material = bars_asked(question, wanted)
    universe = tuple(material.universe)
    if settings is None:
        settings = settings_of(question.kind, question.parameters, universe)
    settings = settings.model_copy(update={"symbols": universe})
    plan = plan_asked(settings, material, options, span=(question.first, question.last))
    calendar = calendar_of(options)
    return tear_sheet(
        plan,
        lambda other: run_convention(material.universe, other, calendar),
        material.universe,
        wording(),
        convention=convention,
        benchmark=index,
    )
