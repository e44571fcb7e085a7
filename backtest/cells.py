"""This is one cell of a sweep: parameters tried over a window of days, and what came of it in one row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final, Self

import numpy as np
from pydantic import ValidationError

from backtest.channel_bars import bars_of
from backtest.conventions import run_convention
from backtest.curves import Curve, curve_figures, curve_returns
from backtest.listings import require_no_delisting
from backtest.options import CHANNEL
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.spaces import Cell, cell_key, written
from backtest.tables import BarTable
from strategies.base import COLUMNS, BarColumns, Integers
from strategies.faults import first_fault
from strategies.settings import StrategySettings
from trading.errors import BadInput, NotSupported
from trading.instruments import Symbol
from trading.sessions import TradingCalendar
from trading.trades import closed_trades

EXITS: Final = ("stop_loss", "take_profit")
"""Names that an axis may have beside the strategy's own parameters."""

type Universe = Mapping[Symbol, BarColumns]


@dataclass(frozen=True, slots=True)
class Window:
    """The days that count, both ends included; bars before warm up, bars after are never seen."""

    first: date
    last: date

    def cut(self, universe: Universe) -> Universe:
        """Give what was known at the close of the last day, of the symbols that had a bar by then."""
        if isinstance(universe, BarTable) and universe.last_day <= self.last.toordinal():
            return universe
        known = {
            symbol: int(np.searchsorted(bars.days, self.last.toordinal(), side="right"))
            for symbol, bars in universe.items()
        }
        return {symbol: universe[symbol].first(count) for symbol, count in known.items() if count}


@dataclass(frozen=True, slots=True)
class Trial:
    """A cell over a window."""

    window: Window
    cell: Cell

    @property
    def key(self) -> str:
        """What tells it from all other trials of the same question."""
        return f"{self.window.first}..{self.window.last} {cell_key(self.cell)}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every trial: a plan of one strategy, by its options or the channel's convention, over bars."""

    plan: ReplayPlan
    universe: Universe
    calendar: TradingCalendar

    @property
    def settings(self) -> StrategySettings:
        """The strategy whose parameters are tried."""
        return self.plan.strategies[0]

    def plan_of(self, trial: Trial, *, symbols: tuple[Symbol, ...] = ()) -> ReplayPlan:
        """Give the plan with the trial's parameters, exits and days, on some of the symbols or all.

        Raises:
            InvalidSetting: when the strategy refuses the parameters.
        """
        parameters = {name: value for name, value in trial.cell.items() if name not in EXITS}
        exits = {name: value for name, value in trial.cell.items() if name in EXITS}
        settings = with_parameters(self.settings, parameters, exits, symbols=symbols)
        stop, target = settings.exits.stop_loss, settings.exits.take_profit
        options = self.plan.options and replace(
            self.plan.options, stop_loss=stop, take_profit=target
        )
        window = trial.window
        return replace(
            self.plan,
            strategies=(settings,),
            options=options,
            first=window.first,
            last=window.last,
        )


def with_parameters(
    settings: StrategySettings, parameters: Cell, exits: Cell, *, symbols: tuple[Symbol, ...] = ()
) -> StrategySettings:
    """Give the settings with other parameters and exits, on some of the symbols or all.

    Raises:
        InvalidSetting: when the strategy refuses them.
    """
    document = settings.model_dump(exclude={"symbols"})
    document["parameters"] |= parameters
    document["exits"] |= exits
    wanted = frozenset(symbols or settings.symbols)
    kept = tuple(symbol for symbol in settings.symbols if symbol in wanted)
    # All were read before: thousands need no second look in every cell.
    document["symbols"] = kept[:1]
    try:
        tried = StrategySettings.model_validate(document)
    except ValidationError as error:
        raise first_fault(error) from None
    return tried.model_copy(update={"symbols": kept})


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a trial. Fractions and ratios as in `backtest.curves`, money in won.

    `parameters` are as `backtest.spaces.written` writes them.
    """

    key: str
    first: str
    last: str
    parameters: Mapping[str, int | str | None]
    days: int
    trades: int
    final_equity: int
    total_return: float
    cagr: float
    volatility: float | None
    max_drawdown: float
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    daily_sharpe: float | None
    skewness: float | None
    kurtosis: float | None

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Self:
        """Read a row that was written down."""
        return cls(**{each.name: document[each.name] for each in fields(cls)})  # type: ignore[arg-type]  # our own


def try_cell(question: Question, trial: Trial) -> Row:
    """Trade the trial and give its row."""
    return row_of(trial, trade(question, trial))


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """What a trial left: `equity` in won at the first opening and at the close of each of `days`, ordinals."""

    days: Integers
    equity: Curve
    trades: int


def trade(question: Question, trial: Trial) -> Traded:
    """Trade with nothing at hand but what was known at the close of the window."""
    known = trial.window.cut(question.universe)
    plan = question.plan_of(trial, symbols=tuple(known))
    try:
        return _trade_fast(plan, known)
    except NotSupported:
        return _trade_exactly(plan, known, question.calendar)


def _trade_fast(plan: ReplayPlan, known: Universe) -> Traded:
    """Trade with the fast engine, which gives the same to the won or refuses."""
    from backtest.engine import run_engine  # noqa: PLC0415 - a sweep's other processes start meanwhile

    if plan.options is None:
        raise NotSupported("convention", CHANNEL, "one with options")
    require_no_delisting(plan)
    (settings,) = plan.strategies
    result = run_engine(
        known,
        settings.strategy,
        plan.options,
        first=plan.first,
        last=plan.last,
        instruments=plan.instruments,
    )
    days, worth = result.equity
    beginning = len(result.cash) * plan.cash
    return Traded(days, np.concatenate([[beginning], worth]), result.trades)


def _trade_exactly(plan: ReplayPlan, known: Universe, calendar: TradingCalendar) -> Traded:
    """Trade with the exact engine; without options by the channel's own convention, as in trading."""
    if plan.options is None:
        bars = {symbol: bars_of(symbol, known[symbol]) for symbol in plan.symbols}
        result = run_replay(bars, plan, calendar)
    else:
        result = run_convention(known, plan, calendar)
    beginning = result.equity[0].opening if result.equity else result.ledger.cash
    equity = [beginning, *(point.closing for point in result.equity)]
    days = [point.trading_day.toordinal() for point in result.equity]
    closed = len(closed_trades(result.executions))
    return Traded(np.array(days, dtype=np.int64), np.array(equity, dtype=np.int64), closed)


def row_of(trial: Trial, traded: Traded) -> Row:
    """Put what a trial left into a row."""
    figures = curve_figures(curve_returns(traded.equity))
    moments = figures.moments
    return Row(
        key=trial.key,
        first=trial.window.first.isoformat(),
        last=trial.window.last.isoformat(),
        parameters={name: written(value) for name, value in trial.cell.items()},
        days=figures.days,
        trades=traded.trades,
        final_equity=int(traded.equity[-1]),
        total_return=figures.total_return,
        cagr=figures.cagr,
        volatility=figures.volatility,
        max_drawdown=figures.max_drawdown,
        sharpe=figures.sharpe,
        sortino=figures.sortino,
        calmar=figures.calmar,
        daily_sharpe=None if moments is None else moments.sharpe,
        skewness=None if moments is None else moments.skewness,
        kurtosis=None if moments is None else moments.kurtosis,
    )


def possible(question: Question, window: Window, cells: Iterable[Cell]) -> tuple[list[Trial], int]:
    """Give the trials whose parameters the strategy takes, and how many it refuses.

    Raises:
        BadInput: for a name that is no parameter, or when none is left; then with the last refusal's own words.
    """
    trials, refused = [], 0
    reason: BadInput | None = None
    longest = max((len(bars) for bars in window.cut(question.universe).values()), default=0)
    for cell in cells:
        trial = Trial(window, cell)
        _require_names(question.settings, cell)
        try:
            one = question.settings.symbols[:1]  # the parameters are in question, not the symbols
            _require_bars(question.plan_of(trial, symbols=one).strategies[0], longest)
        except BadInput as error:
            refused, reason = refused + 1, error
        else:
            trials.append(trial)
    if not trials and reason is not None:
        raise reason
    return trials, refused


def _require_bars(settings: StrategySettings, longest: int) -> None:
    warm_up = settings.strategy.warm_up
    if warm_up > longest:
        raise BadInput("bars", longest, f"at least {warm_up} before the window ends")


def _require_names(settings: StrategySettings, cell: Cell) -> None:
    known = (*type(settings.strategy).model_fields, *EXITS)
    unknown = [name for name in cell if name not in known]
    if unknown:
        raise BadInput("parameter", ", ".join(unknown), f"one of {', '.join(known)}")


def universe_digest(universe: Universe, symbols: Sequence[Symbol]) -> str:
    """Fingerprint the bars: 16 hex digits, others as soon as one price is."""
    found = hashlib.sha256()
    for symbol in sorted(symbols):
        bars = universe[symbol]
        found.update(f"{symbol}{len(bars)}".encode())
        for name in COLUMNS:
            found.update(np.ascontiguousarray(getattr(bars, name)).tobytes())
    return found.hexdigest()[:16]
