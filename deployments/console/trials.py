"""This is what `sweep` and `walkforward` share: the question, where trials run, where finished ones are kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.code_digests import code_digest
from adapters.trial_files import ENDING, TrialFile, tried_in
from backtest.cells import Question as TrialQuestion
from backtest.cells import Row, Trial, Universe, Window, universe_digest
from backtest.conventions import plan_of
from backtest.options import CHANNEL, FillConvention
from backtest.plans import ReplayPlan
from backtest.spaces import Space, read_axis
from backtest.sweeps import Tries
from backtest.walks import Goal, trading_days
from deployments.console.assumptions import Assumptions
from deployments.console.backtests import Question, bars_asked, strategy_asked
from deployments.console.convention_backtests import calendar_of, settings_of
from deployments.console.speech import home, option, say
from deployments.console.tables import paper
from strategies.settings import StrategySettings
from tasks.spreads import Here, Processes, Spread
from tasks.sweeps import question_digest
from trading.bars import Interval
from trading.errors import BadInput
from trading.instruments import Instrument, Symbol

PROCESSES: Final = "processes"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Trying:
    """How trials are chosen, run and written down."""

    goal: Annotated[Goal, option("by", name="--by")] = Goal.SHARPE
    random: Annotated[int | None, option("random")] = None
    seed: Annotated[int, option("seed")] = 1
    workers: Annotated[int | None, option("workers")] = None
    on: Annotated[str, option("on")] = PROCESSES
    html: Annotated[Path | None, option("sweep_html")] = None
    as_json: Annotated[bool, option("json", name="--json")] = False

    @property
    def choice(self) -> tuple[object, ...]:
        """What decides which trials are told in which order."""
        return self.goal, self.random, self.seed if self.random else None

    def spread(self) -> Spread:
        """Give where the trials run.

        Raises:
            BadInput: for a place that there is not.
        """
        workers = (os.cpu_count() or 1) if self.workers is None else self.workers
        if workers < 1:
            raise BadInput("--workers", workers, "at least 1")
        if self.on != PROCESSES:
            from deployments.spreads import cluster  # noqa: PLC0415 - Prefect takes a second

            return cluster(self.on, workers)
        return Here() if workers == 1 else Processes(workers)


@dataclass(frozen=True, slots=True)
class Research:
    """A question with its axes, its days, and the file of what is finished."""

    question: TrialQuestion
    space: Space
    window: Window
    file: TrialFile

    @property
    def days(self) -> Sequence[date]:
        """The days of the window on which anything traded."""
        return trading_days(self.question.universe, self.window.first, self.window.last)

    @property
    def tries(self) -> Tries:
        """Everything that was ever tried of this kind of strategy on these bars."""
        tried = tried_in(self.file.path.parent)
        return Tries.of(map(Row.of_document, tried), self.window)

    def page(self, ending: str, *asked: object) -> Path:
        """Give the usual place of a file about it: another one for other axes, days or what else is `asked`."""
        asked_for = hashlib.sha256(repr((self.space, self.window, asked)).encode()).hexdigest()[:8]
        return self.file.path.with_name(f"{self.file.path.stem}-{asked_for}{ending}")


def research(
    strategy: str, axes: Sequence[str], question: Question, assumptions: Assumptions
) -> Research:
    """Make the question from what the command says.

    Raises:
        BadInput: for axes, symbols, days or options that cannot be meant.
    """
    space = Space(tuple(map(read_axis, axes)))
    usual = FillConvention.NEXT_OPEN.value
    options = assumptions.options(usual)
    settings = None if question.kind else strategy_asked(strategy, question)
    wanted = question.codes or (settings.symbols if settings else ())
    material = bars_asked(question, wanted)
    universe = material.universe
    if settings is None:
        settings = settings_of(question.kind, question.parameters, tuple(universe))
    _require_possible(settings)
    settings = settings.model_copy(update={"symbols": tuple(universe)})
    with material.origin.named():
        window = _window(question, universe)
    if options is None:
        plan = _plan_of_channel(settings, question, assumptions, material.instruments, window)
        plan = replace(plan, listings=material.listings)
    else:
        plan = plan_of(
            options,
            settings,
            first=window.first,
            last=window.last,
            instruments=material.instruments,
            listings=material.listings,
        )
    asked = TrialQuestion(plan, universe, calendar_of(options))
    return Research(asked, space, window, _file(asked))


def _require_possible(settings: StrategySettings) -> None:
    if settings.plugin:
        raise BadInput("--strategy", settings.id, "a strategy of ours; a plug-in runs alone")
    if settings.interval is not Interval.DAY:
        raise BadInput("strategies", settings.kind, "a kind that looks at daily bars")


def _plan_of_channel(
    settings: StrategySettings,
    question: Question,
    assumptions: Assumptions,
    instruments: Mapping[Symbol, Instrument],
    window: Window,
) -> ReplayPlan:
    """Give the plan by the channel's own convention: its limits, sizes and costs, and its rules."""
    from deployments.console.channel_backtests import (  # noqa: PLC0415 - settings, database
        CASH,
        channel_of,
    )
    from plugins.rules import foreign_rules  # noqa: PLC0415 - the same

    channel = channel_of(is_proposal=question.is_proposal)
    if foreign_rules(channel.plugins):
        raise BadInput("--convention", CHANNEL, "another: rules of plug-ins judge in trading only")
    return ReplayPlan(
        strategies=(settings,),
        limits=channel.risk,
        sizing=channel.sizing,
        costs=channel.costs.schedule,
        cash=CASH if assumptions.cash is None else assumptions.cash,
        first=window.first,
        last=window.last,
        instruments=instruments,
    )


def _window(question: Question, universe: Universe) -> Window:
    days = [int(day) for bars in universe.values() if len(bars) for day in bars.days[[0, -1]]]
    if not days:
        raise BadInput("symbols", ", ".join(universe), "symbols that have bars in the data")
    first, last = map(date.fromordinal, (min(days), max(days)))
    window = Window(question.first or first, question.last or last)
    if window.first > window.last or window.last < first or window.first > last:
        asked = f"{window.first.isoformat()}..{window.last.isoformat()}"
        there = f"{first.isoformat()}..{last.isoformat()}"
        raise BadInput("days", asked, f"days within the data, {there}")
    return window


def _file(asked: TrialQuestion) -> TrialFile:
    bars = universe_digest(asked.universe, asked.settings.symbols)
    folder = home() / "sweeps" / f"{asked.settings.kind}-{bars}"
    return TrialFile(folder / f"{question_digest(asked, code_digest())}{ENDING}")


def finish(found: Research, trials: Sequence[Trial], spread: Spread) -> dict[str, Row]:
    """Run the trials that are not finished, keep each batch as it comes, and give the rows of all by key."""
    with found.file.writing():
        left = [trial for trial in trials if trial.key not in found.file.finished]
        _tell("sweep.running", count=len(trials), left=len(left))
        try:
            _run(found, left, spread, count=len(trials))
        except (KeyboardInterrupt, OSError):
            _tell("sweep.kept", path=found.file.path)
            raise
    return {t.key: Row.of_document(found.file.finished[t.key]) for t in trials}


def _run(found: Research, left: Sequence[Trial], spread: Spread, *, count: int) -> None:
    """Run the trials that are left of so many."""
    with (
        _progress(count, count - len(left)) as advance,
        closing(spread.run(found.question, left)) as running,
    ):
        for rows in running:
            found.file.add([asdict(row) for row in rows])
            advance(len(rows))


def _tell(key: str, **figures: Any) -> None:
    paper(is_error=True).print(say(key, **figures), soft_wrap=True)


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[int], None]]:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(""), TimeRemainingColumn())
    with Progress(*columns, console=paper(is_error=True)) as progress:
        bar = progress.add_task("", total=total, completed=done)
        yield lambda count: progress.advance(bar, count)
