"""This is what a backtest takes from the channel: its strategies, limits and costs, and the bars of its database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from adapters.bar_cache import open_bars
from adapters.bar_files import read_bars
from adapters.calendars import XkrxCalendar
from backtest.options import CHANNEL
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from deployments.console.accounts import open_account
from deployments.console.backtest_documents import Asked, Found
from flows.settings import load_channel, load_settings
from flows.sources import channel_in_force, open_stores
from plugins.rules import foreign_rules
from plugins.strategies import running
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 12, 31)
CASH: Final = 100_000_000

type Bars = Mapping[Symbol, Sequence[Bar]]


def channel_of(*, is_proposal: bool) -> ChannelSettings:
    """Give the settings in force, or those of the channel's file before they are proposed."""
    settings = load_settings()
    return load_channel(settings) if is_proposal else channel_in_force(settings)


def one_strategy(strategy_id: str, *, is_proposal: bool) -> StrategySettings:
    """Give one strategy of the channel; raises InvalidSetting with those that there are."""
    return channel_of(is_proposal=is_proposal).only(strategy_id).strategies[0]


@contextmanager
def channel_plan(
    strategy: str,
    data: Path | None,
    first: date | None,
    last: date | None,
    *,
    cash: int | None,
    is_proposal: bool,
) -> Iterator[tuple[ReplayPlan, Bars]]:
    """Give what the channel would trade and on which bars; its plug-ins run meanwhile."""
    channel = channel_of(is_proposal=is_proposal)
    strategies = channel.only(strategy).strategies
    symbols = sorted({symbol for settings in strategies for symbol in settings.symbols})
    bars, instruments = bars_of_database(symbols) if data is None else (read_bars(data), {})
    days = [bar.trading_day for symbol in symbols for bar in bars.get(symbol, ())]
    with running(strategies, channel.plugins) as started:
        plan = ReplayPlan(
            strategies=started,
            limits=channel.risk,
            sizing=channel.sizing,
            costs=channel.costs.schedule,
            cash=CASH if cash is None else cash,
            first=first or min(days, default=EARLIEST),
            last=last or max(days, default=LATEST),
            instruments=instruments,
            foreign_rules=foreign_rules(channel.plugins),
        )
        yield plan, bars


def replay_channel(
    strategy: str,
    data: Path | None,
    first: date | None,
    last: date | None,
    *,
    cash: int | None,
    is_proposal: bool,
) -> tuple[Asked, Found]:
    """Replay daily bars through the same strategies, sizing, rules, matching and costs as in trading."""
    planned = channel_plan(strategy, data, first, last, cash=cash, is_proposal=is_proposal)
    with planned as (plan, bars):
        result = run_replay(bars, plan, XkrxCalendar())
    names = {symbol: plan.instrument(symbol).name for symbol in plan.symbols}
    ids = [settings.id for settings in plan.strategies]
    asked = Asked(
        "exact", CHANNEL, None, ids, len(plan.symbols), plan.first, plan.last, plan.cash, names
    )
    return asked, Found.by_replay(result)


def bars_of_database(symbols: Iterable[Symbol]) -> tuple[Bars, dict[Symbol, Instrument]]:
    """Read all daily bars of some symbols, and what is known of every symbol."""
    with open_account() as account, account.stores.begin() as work:
        bars = {
            symbol: work.bars.between(symbol, Interval.DAY, first=EARLIEST, last=LATEST)
            for symbol in symbols
        }
        return bars, {instrument.symbol: instrument for instrument in work.instruments.all()}


def columns_of_database(
    symbols: Iterable[Symbol],
) -> tuple[Mapping[Symbol, BarColumns], dict[Symbol, Instrument]]:
    """Give the columns of some symbols, mapped from the cache beside the database, and what is known of every symbol."""
    settings = load_settings()
    with closing(open_stores(settings)) as stores:
        with stores.series() as series:
            cached = open_bars(settings.home / "bars" / settings.channel, series)
        with stores.begin() as work:
            instruments = {each.symbol: each for each in work.instruments.all()}
    there = set(cached.symbols).intersection(symbols)
    return {symbol: BarColumns.trusted(cached[symbol]) for symbol in sorted(there)}, instruments
