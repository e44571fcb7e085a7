"""This is how a strategy is examined for look-ahead: on which bars, and against which supply of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Final

from adapters.bar_files import read_bars
from adapters.calendars import XkrxCalendar
from adapters.kis_sim.histories import BUNDLED
from adapters.wording import Wording
from backtest.lookahead import LookaheadReport, Supply, examine
from deployments.minute_samples import drawn_minutes
from plugins.settings import PluginSettings
from strategies.base import BarColumns, Strategy
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from trading.bars import Bar, Interval
from trading.instruments import Symbol

PAGE: Final = 100
"""Daily bars in one answer of KIS (inquire-daily-itemchartprice)."""

CPU_SECONDS: Final = 600
"""An examination asks some thousand times, a day of trading once."""

MINUTE_PAGE: Final = 120
"""Minute bars of a past day in one answer (inquire-time-dailychartprice); the days kept come from the stream."""
MINUTE_DAYS: Final = 2
NEXT_MINUTES: Final = 30
"""Of the day after those, so that a bar has a next day that it must not know."""
MINUTE_SYMBOLS: Final = 2

type Bars = Mapping[Symbol, Sequence[Bar]]


@cache
def bundled_bars() -> Bars:
    """Read the prices that come with maemae: six shares, 2016 to 2019."""
    return read_bars(BUNDLED)


def patient(plugin: PluginSettings) -> PluginSettings:
    """Give a plug-in the time that an examination takes."""
    limits = plugin.limits.model_copy(update={"cpu_seconds": CPU_SECONDS})
    return plugin.model_copy(update={"limits": limits})


def examine_settings(
    settings: StrategySettings, channel: ChannelSettings, bars: Bars
) -> LookaheadReport:
    """Examine a strategy on its own symbols, on all of `bars` (daily) where those hold too few of them to compare."""
    own = {symbol: bars[symbol] for symbol in settings.symbols if symbol in bars}
    chosen = own if len(own) >= min(len(settings.symbols), 2) else bars
    if settings.interval is Interval.MINUTE:
        return _examine_minutes(settings.strategy, chosen)
    histories = {symbol: BarColumns.of(found) for symbol, found in chosen.items()}
    return examine(settings.strategy, histories, supply=supply_of(channel, chosen))


def _examine_minutes(strategy: Strategy, bars: Bars) -> LookaheadReport:
    """Examine on minutes drawn from the last days of the first symbols: a day has 381 of them to try."""
    histories = {
        symbol: BarColumns.of(_last_minutes(bars[symbol]))
        for symbol in sorted(bars)[:MINUTE_SYMBOLS]
    }
    kept = max(len(columns) for columns in histories.values())
    return examine(strategy, histories, supply=Supply(kept=kept, page=MINUTE_PAGE))


def _last_minutes(days: Sequence[Bar]) -> tuple[Bar, ...]:
    last = days[-MINUTE_DAYS - 1 :]
    following = drawn_minutes(last[MINUTE_DAYS:])[:NEXT_MINUTES]
    return (*drawn_minutes(last[:MINUTE_DAYS]), *following)


def supply_of(channel: ChannelSettings, bars: Bars) -> Supply:
    """Count the sessions of which ingestion keeps bars, up to the newest of `bars`."""
    last = max(bar.trading_day for found in bars.values() for bar in found)
    first = last - timedelta(days=channel.history_days)
    return Supply(kept=len(XkrxCalendar().trading_days(first, last)), page=PAGE)


def sentences(report: LookaheadReport, wording: Wording) -> tuple[str, ...]:
    """Tell every leak in the owner's language."""
    return tuple(
        (f"{leak.symbol}: " if leak.symbol else "")
        + wording.text(f"lookahead.{leak.kind}", **leak.figures)
        for leak in report.leaks
    )
