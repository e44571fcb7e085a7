"""This is the command `backtest`: a strategy over daily bars of a file or of the database, by convention.

Only what a question needs is imported: a file without a channel needs no settings, no database and no Prefect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from adapters.listing_files import read_listings
from adapters.places import require_place
from backtest.listings import delistings
from backtest.options import CHANNEL, BacktestOptions, FillConvention
from deployments.console.assumptions import Assumptions
from deployments.console.backtest_documents import Asked, Found, document_of, print_backtest
from deployments.console.convention_backtests import Material, answer, from_file, settings_of
from deployments.console.origins import Origin
from deployments.console.speech import option
from deployments.console.tables import print_json
from strategies.settings import StrategySettings
from trading.errors import BadInput
from trading.instruments import Symbol


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Question:
    """What is to be traded on which days; without a kind it is a strategy of the channel."""

    kind: Annotated[str, option("kind")] = ""
    parameters: Annotated[tuple[str, ...], option("set", name="--set")] = ()
    symbols: Annotated[tuple[str, ...], option("symbols", consume_multiple=True)] = ()
    data: Annotated[Path | None, option("data")] = None
    first: Annotated[date | None, option("from", name="--from")] = None
    last: Annotated[date | None, option("to", name="--to")] = None
    listings: Annotated[Path | None, option("listings")] = None
    is_proposal: Annotated[bool, option("backtest_file", name="--file")] = False

    @property
    def codes(self) -> tuple[Symbol, ...]:
        """The symbols, which may also stand in one word with commas."""
        words = (word for each in self.symbols for word in each.split(",") if word)
        return tuple(dict.fromkeys(map(Symbol, words)))


NOTHING: Final = Question()
AS_IT_IS: Final = Assumptions()


def backtest(
    strategy: Annotated[str, option("backtest_strategy", name="--strategy")] = "",
    *,
    question: Question = NOTHING,
    assumptions: Assumptions = AS_IT_IS,
    engine: Annotated[Literal["exact", "fast"], option("engine")] = "exact",
    html: Annotated[Path | None, option("html")] = None,
    benchmark: Annotated[Path | None, option("benchmark")] = None,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> None:
    """Answer the question with one engine, and print all of it or nothing; the page is written before."""
    require_place("--html", html)
    usual = FillConvention.NEXT_OPEN if question.kind else CHANNEL
    convention = assumptions.convention or usual
    options = assumptions.options(usual)
    if options is None:
        _require_channel(question, engine)
        asked, found = _by_channel(strategy, question, assumptions)
    else:
        asked, found = _by_convention(strategy, question, options, convention, engine)
    document = document_of(asked, found)
    if html is not None or benchmark is not None:
        _write_page(html, benchmark, strategy, question, assumptions)
    if as_json:
        print_json(document)
    else:
        print_backtest(document)


def _write_page(
    html: Path | None,
    benchmark: Path | None,
    strategy: str,
    question: Question,
    assumptions: Assumptions,
) -> None:
    if html is None:
        raise BadInput("--benchmark", str(benchmark), "given with --html, whose page shows it")
    from deployments.console.tear_sheets import write_page  # noqa: PLC0415 - templates take time

    write_page(html, benchmark, strategy, question, assumptions)


def _require_channel(question: Question, engine: str) -> None:
    """Refuse what is not the channel's to decide."""
    wrong = {"--kind": question.kind, "--symbols": " ".join(question.symbols)}
    wrong["--engine"] = "" if engine == "exact" else engine
    for name, value in wrong.items():
        if value:
            expected = f"none with --convention {CHANNEL}, which trades as the channel does"
            raise BadInput(name, value, expected)


def _by_channel(strategy: str, question: Question, assumptions: Assumptions) -> tuple[Asked, Found]:
    from deployments.console.channel_backtests import (  # noqa: PLC0415 - settings, database
        replay_channel,
    )

    return replay_channel(
        strategy,
        question.data,
        question.first,
        question.last,
        cash=assumptions.cash,
        is_proposal=question.is_proposal,
        listings=question.listings,
    )


def _by_convention(
    strategy: str, question: Question, options: BacktestOptions, convention: str, engine: str
) -> tuple[Asked, Found]:
    settings = None if question.kind else strategy_asked(strategy, question)
    wanted = question.codes or (settings.symbols if settings else ())
    material = bars_asked(question, wanted)
    if settings is None:
        settings = settings_of(question.kind, question.parameters, tuple(material.universe))
    return answer(
        settings.model_copy(update={"symbols": tuple(material.universe)}),
        material,
        options,
        engine=engine,
        convention=convention,
        span=(question.first, question.last),
    )


def strategy_asked(strategy: str, question: Question) -> StrategySettings:
    """Give the channel's strategy that is meant.

    Raises:
        BadInput: when none is.
    """
    from deployments.console.channel_backtests import (  # noqa: PLC0415 - settings, database
        one_strategy,
    )

    if not strategy:
        raise BadInput("--kind", None, "a kind of strategy, or --strategy with one of the channel")
    return one_strategy(strategy, is_proposal=question.is_proposal)


def bars_asked(question: Question, wanted: tuple[Symbol, ...]) -> Material:
    """Give the bars of the days on which their symbols were listed, and what is known of them."""
    listings = None if question.listings is None else read_listings(question.listings)
    if question.data is not None:
        bars = from_file(question.data, wanted)
        return Material.listed(bars, {}, listings or {}, Origin.of_file(question.data))
    from deployments.console.channel_backtests import (  # noqa: PLC0415 - settings, database
        columns_of_database,
    )

    if not wanted:
        raise BadInput("--symbols", None, "symbols, or a file of bars with --data")
    columns, instruments, origin = columns_of_database(wanted)
    if missing := sorted(set(wanted).difference(columns)):
        expected = "symbols that have bars in the data"
        raise BadInput(f"{origin.source}: symbols", ", ".join(missing), expected)
    known = delistings(instruments) if listings is None else listings
    return Material.listed(columns, instruments, known, origin)
