"""This is what a backtest takes from the channel: its strategies, limits and costs, and the bars of its database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from adapters.bar_cache import open_bars
from adapters.listing_files import read_listings
from adapters.stores import UnitOfWork
from backtest.channel_bars import ChannelBars
from backtest.listings import delistings
from backtest.options import CHANNEL
from backtest.plans import ReplayPlan
from deployments.console.accounts import open_account
from deployments.console.backtest_documents import Asked, Found
from deployments.console.origins import Origin
from flows.settings import load_channel, load_settings
from flows.sources import channel_in_force, open_stores
from plugins.rules import foreign_rules
from plugins.strategies import running
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from tasks.research_bars import EVER, bars_of_file, bars_of_stores
from trading.bars import Interval
from trading.indices import Benchmark, Index
from trading.instruments import Instrument, Symbol

CASH: Final = 100_000_000


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
    listings: Path | None = None,
) -> Iterator[tuple[ReplayPlan, ChannelBars]]:
    """Give what the channel would trade and on which bars; its plug-ins run meanwhile."""
    channel = channel_of(is_proposal=is_proposal)
    strategies = channel.only(strategy).strategies
    bars, instruments = _bars(strategies, data)
    days = bars.span(strategies)
    with running(strategies, channel.plugins) as started:
        plan = ReplayPlan(
            strategies=started,
            limits=channel.risk,
            sizing=channel.sizing,
            costs=channel.costs.schedule,
            cash=CASH if cash is None else cash,
            first=first or min(days, default=EVER[0]),
            last=last or max(days, default=EVER[1]),
            instruments=instruments,
            foreign_rules=foreign_rules(channel.plugins),
            listings=delistings(instruments) if listings is None else read_listings(listings),
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
    listings: Path | None = None,
) -> tuple[Asked, Found]:
    """Replay days, and minutes, through the same strategies, sizing, rules, matching and costs as in trading."""
    from adapters.calendars import XkrxCalendar  # noqa: PLC0415 - its holidays take a tenth of a second

    planned = channel_plan(
        strategy, data, first, last, cash=cash, is_proposal=is_proposal, listings=listings
    )
    strategies = channel_of(is_proposal=is_proposal).only(strategy).strategies
    symbols = sorted({symbol for settings in strategies for symbol in settings.symbols})
    origin = _origin(data, symbols)
    with origin.named(), planned as (plan, bars):
        result = bars.run(plan, XkrxCalendar())
    names = {symbol: plan.instrument(symbol).name for symbol in plan.symbols}
    ids = [settings.id for settings in plan.strategies]
    asked = Asked(
        "exact",
        CHANNEL,
        None,
        ids,
        len(plan.symbols),
        plan.first,
        plan.last,
        plan.cash,
        origin,
        names,
    )
    return asked, Found.by_replay(result)


def _bars(
    strategies: Sequence[StrategySettings], data: Path | None
) -> tuple[ChannelBars, dict[Symbol, Instrument]]:
    """Read a file, else all bars of the database and what is known of every symbol."""
    if data is not None:
        return bars_of_file(data, strategies), {}
    with open_account() as account, account.stores.begin() as work:
        instruments = {instrument.symbol: instrument for instrument in work.instruments.all()}
        return bars_of_stores(work, strategies), instruments


def columns_of_database(
    symbols: Iterable[Symbol],
) -> tuple[Mapping[Symbol, BarColumns], dict[Symbol, Instrument], Origin]:
    """Give columns of some symbols, mapped from the cache beside the database, and what is known of every symbol."""
    settings = load_settings()
    with closing(open_stores(settings)) as stores:
        with stores.series() as series:
            cached = open_bars(settings.home / "bars" / settings.channel, series)
        there = sorted(set(cached.symbols).intersection(symbols))
        with stores.begin() as work:
            instruments = {each.symbol: each for each in work.instruments.all()}
            adjustments = _adjustments(work, there)
    columns = {symbol: BarColumns.trusted(cached[symbol]) for symbol in there}
    return columns, instruments, Origin.of_database(cached.versions, there, adjustments)


def _adjustments(work: UnitOfWork, symbols: Iterable[Symbol]) -> dict[Symbol, int]:
    """Give the versions of the factors in force."""
    found = {symbol: work.adjustments.get(symbol) for symbol in symbols}
    return {symbol: each.version for symbol, each in found.items() if each}


def _origin(data: Path | None, symbols: Sequence[Symbol]) -> Origin:
    """Tell the version of the bars of a plan before they are read."""
    if data is not None:
        return Origin.of_file(data)
    with closing(open_stores(load_settings())) as stores:
        with stores.series() as series:
            days, minutes = series.versions(Interval.DAY), series.versions(Interval.MINUTE)
        versions = {s: f"{days.get(s)} {minutes.get(s)}" for s in (*days, *minutes)}
        with stores.begin() as work:
            return Origin.of_database(versions, symbols, _adjustments(work, symbols))


def index_of_database() -> Benchmark | None:
    """Give KOSPI as ingest-bars has stored it; None before it has."""
    with closing(open_stores(load_settings())) as stores, stores.begin() as work:
        return Benchmark.of(work.indices.between(Index.KOSPI, first=EVER[0], last=EVER[1]))
