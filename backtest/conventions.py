"""This is a replay by convention: the options' timetable over the account that channels are replayed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from backtest.accounts import REPLAY, ReplayAccount
from backtest.lanes import Lane
from backtest.marks import Marks, Points, days_of, mark
from backtest.options import BacktestOptions, CashSplit, FillConvention, MarketRules
from backtest.plans import ReplayPlan, Span
from backtest.results import ReplayResult
from backtest.timetables import EveryDay, Timetable
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.base import BarColumns, Integers
from strategies.exits import ExitParameters
from strategies.settings import StrategySettings
from trading.bars import Interval
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.instruments import Instrument, Listing, Symbol
from trading.ledger import Ledger, rebuild
from trading.sessions import TradingCalendar


def plan_of(
    options: BacktestOptions,
    settings: StrategySettings,
    *,
    first: date,
    last: date,
    instruments: Mapping[Symbol, Instrument] | None = None,
    listings: Mapping[Symbol, Listing] | None = None,
) -> ReplayPlan:
    """Give the plan of one strategy by convention: exits, costs, sizes and cash are those of the options."""
    exits = ExitParameters(stop_loss=options.stop_loss, take_profit=options.take_profit)
    return ReplayPlan(
        strategies=(settings.model_copy(update={"exits": exits}),),
        limits=RiskLimits(),
        sizing=SizingSettings(),
        costs=CostSchedule(options.commission_rate, options.tax_rate, options.price_scale),
        cash=options.cash * options.price_scale,
        first=first,
        last=last,
        instruments=instruments or {},
        options=options,
        listings=listings or {},
    )


def run_convention(
    universe: Mapping[Symbol, BarColumns], plan: ReplayPlan, calendar: TradingCalendar
) -> ReplayResult:
    """Trade the plan of `plan_of` over `universe`, in one account or in one for each symbol.

    Raises:
        BadInput: when plan and bars do not fit, or no symbol has bars enough for a first decision.
    """
    options = plan.options
    if options is None or len(plan.strategies) != 1:
        ids = ", ".join(settings.id for settings in plan.strategies)
        raise BadInput("strategies", ids, "one strategy by a convention's options")
    if plan.strategies[0].interval is not Interval.DAY:
        raise BadInput("strategies", plan.strategies[0].kind, "a kind that looks at daily bars")
    plan.require_data({symbol: span_of(bars) for symbol, bars in universe.items() if len(bars)})
    lanes = _lanes(universe, plan)
    days = _counting_days(lanes, plan, options)
    runs = [
        _run(part, plan, options, calendar) for part in _accounts(lanes, split=options.cash_split)
    ]
    curves = [mark(days, run.account.executions, run.lanes, plan.cash) for run in runs]
    return _result(runs, sum(curves[1:], curves[0]))


def span_of(bars: BarColumns) -> Span:
    """Give the first and the last day of some bars."""
    return date.fromordinal(int(bars.days[0])), date.fromordinal(int(bars.days[-1]))


def _lanes(universe: Mapping[Symbol, BarColumns], plan: ReplayPlan) -> dict[Symbol, Lane]:
    (settings,) = plan.strategies
    strategy = settings.strategy
    columns = {symbol: universe[symbol] for symbol in plan.symbols}
    end = plan.last.toordinal()
    longest = max(int(bars.days.searchsorted(end, "right")) for bars in columns.values())
    if longest < strategy.warm_up:
        expected = f"at least {strategy.warm_up}, for a first decision of {strategy.kind}"
        raise BadInput("bars", longest, expected)
    decided = strategy.evaluate_all(columns)
    return {
        symbol: Lane(plan.instrument(symbol), columns[symbol], decided[symbol], strategy.warm_up)
        for symbol in columns
    }


def _counting_days(
    lanes: Mapping[Symbol, Lane], plan: ReplayPlan, options: BacktestOptions
) -> Integers:
    """Give the days of the curve: those with a bar, from the first on which a decision can fill."""
    warm = [lane.day_of(lane.warm_up - 1) for lane in lanes.values()]
    is_same_day = options.fill is FillConvention.SIGNAL_CLOSE
    first = max(plan.first.toordinal(), min(warm) + (0 if is_same_day else 1))
    return days_of(lanes.values(), first, plan.last.toordinal())


def _accounts(lanes: Mapping[Symbol, Lane], *, split: CashSplit) -> Iterator[Mapping[Symbol, Lane]]:
    if split is CashSplit.SHARED:
        yield lanes
    else:
        yield from ({symbol: lanes[symbol]} for symbol in sorted(lanes))


def _run(
    lanes: Mapping[Symbol, Lane],
    plan: ReplayPlan,
    options: BacktestOptions,
    calendar: TradingCalendar,
) -> Timetable:
    days = calendar if options.market is MarketRules.KRX else EveryDay()
    timetable = Timetable(plan, options, days, ReplayAccount(plan), lanes)
    timetable.run()
    return timetable


def _result(runs: list[Timetable], marks: Marks) -> ReplayResult:
    """Put the accounts together, by day; within a day by symbol where each has an account of its own."""
    executions = sorted(
        (each for run in runs for each in run.account.executions), key=lambda e: e.trading_day
    )
    return ReplayResult(
        signals=tuple(
            sorted((each for run in runs for each in run.signals), key=lambda s: s.trading_day)
        ),
        orders=tuple(order for run in runs for order in run.account.orders.values()),
        executions=tuple(executions),
        unsized=tuple(each for run in runs for each in run.account.unsized),
        equity=Points(marks),
        invested=tuple(marks.invested.tolist()),
        ledger=_together([run.account.ledger for run in runs]),
    )


def _together(ledgers: list[Ledger]) -> Ledger:
    if len(ledgers) == 1:
        return ledgers[0]
    flows = [flow for ledger in ledgers for flow in ledger.flows]
    positions = {symbol: p for ledger in ledgers for symbol, p in ledger.positions.items()}
    return replace(rebuild(REPLAY, flows, ()), positions=positions)
