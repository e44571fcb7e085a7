"""This is the command `backtest`: strategies of the channel over daily bars of a file or of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

from adapters.bar_files import read_bars
from adapters.calendars import XkrxCalendar
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from deployments.console.accounts import open_account
from deployments.console.rows import FILLS, fill_row
from deployments.console.speech import option, say
from deployments.console.tables import Column, print_facts, print_json, print_table
from flows.settings import load_channel, load_settings
from flows.sources import channel_in_force
from plugins.rules import foreign_rules
from plugins.strategies import running
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 12, 31)
METRICS: Final = (
    Column("days", "count"),
    Column("final_equity", "won"),
    Column("total_return", "signed_percent"),
    Column("cagr", "signed_percent"),
    Column("max_drawdown", "percent"),
    Column("volatility", "percent"),
    Column("sharpe"),
    Column("probabilistic_sharpe", "percent"),
    Column("sortino"),
    Column("calmar"),
    Column("trades", "count"),
    Column("win_rate", "percent"),
    Column("profit_factor"),
    Column("exposure", "percent"),
    Column("turnover"),
    Column("commission", "won"),
    Column("tax", "won"),
    Column("denied", "count"),
)
PLACES: Final = 6
"""Of rates and ratios."""

type Bars = Mapping[Symbol, Sequence[Bar]]


def backtest(
    strategy: Annotated[str, option("backtest_strategy")] = "",
    /,
    *,
    data: Annotated[Path | None, option("data")] = None,
    first: Annotated[date | None, option("from", name="--from")] = None,
    last: Annotated[date | None, option("to", name="--to")] = None,
    cash: Annotated[int, option("cash")] = 100_000_000,
    is_proposal: Annotated[bool, option("backtest_file", name="--file")] = False,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> None:
    """Replay daily bars through the same strategies, sizing, rules, matching and costs as in trading.

    With the settings in force, or those of the channel's file before they are proposed.
    """
    settings = load_settings()
    channel = load_channel(settings) if is_proposal else channel_in_force(settings)
    strategies = channel.only(strategy).strategies
    symbols = sorted({symbol for settings in strategies for symbol in settings.symbols})
    bars, instruments = _from_database(symbols) if data is None else (read_bars(data), {})
    days = [bar.trading_day for symbol in symbols for bar in bars.get(symbol, ())]
    with running(strategies, channel.plugins) as started:
        plan = ReplayPlan(
            strategies=started,
            limits=channel.risk,
            sizing=channel.sizing,
            costs=channel.costs.schedule,
            cash=cash,
            first=first or min(days, default=EARLIEST),
            last=last or max(days, default=LATEST),
            instruments=instruments,
            foreign_rules=foreign_rules(channel.plugins),
        )
        document = _document(plan, run_replay(bars, plan, XkrxCalendar()))
    if as_json:
        print_json(document)
    else:
        _print(plan, document)


def _from_database(symbols: Iterable[Symbol]) -> tuple[Bars, dict[Symbol, Instrument]]:
    with open_account() as account, account.stores.begin() as work:
        bars = {
            symbol: work.bars.between(symbol, Interval.DAY, first=EARLIEST, last=LATEST)
            for symbol in symbols
        }
        return bars, {instrument.symbol: instrument for instrument in work.instruments.all()}


def _document(plan: ReplayPlan, result: ReplayResult) -> dict[str, Any]:
    names = {symbol: plan.instrument(symbol).name for symbol in plan.symbols}
    return {
        "strategies": [settings.id for settings in plan.strategies],
        "from": plan.first,
        "to": plan.last,
        "cash": plan.cash,
        "metrics": _metrics(plan, result),
        "fills": [
            {"trading_day": fill.trading_day, **fill_row(fill, names)} for fill in result.executions
        ],
        "equity": [asdict(point) for point in result.equity],
    }


def _metrics(plan: ReplayPlan, result: ReplayResult) -> dict[str, Any]:
    final = result.equity[-1].closing if result.equity else plan.cash
    figures = {"final_equity": final, **asdict(result.metrics)}
    return {
        name: round(value, PLACES) if isinstance(value, Decimal) else value
        for name, value in figures.items()
    }


def _print(plan: ReplayPlan, document: Mapping[str, Any]) -> None:
    title = say("title.backtest", strategies=", ".join(document["strategies"]))
    print_table(say("title.backtest_fills"), (Column("trading_day"), *FILLS[1:]), document["fills"])
    print_facts(f"{title} {plan.first} ~ {plan.last}", METRICS, document["metrics"])
