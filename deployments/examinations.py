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
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from trading.bars import Bar
from trading.instruments import Symbol

PAGE: Final = 100
"""Daily bars in one answer of KIS (inquire-daily-itemchartprice)."""

type Bars = Mapping[Symbol, Sequence[Bar]]


@cache
def bundled_bars() -> Bars:
    """Read the prices that come with maemae: six shares, 2016 to 2019."""
    return read_bars(BUNDLED)


def examine_settings(
    settings: StrategySettings, channel: ChannelSettings, bars: Bars
) -> LookaheadReport:
    """Examine a strategy on its own symbols, on all of `bars` where those hold none of them."""
    own = {symbol: bars[symbol] for symbol in settings.symbols if symbol in bars}
    chosen = own or bars
    histories = {symbol: BarColumns.of(found) for symbol, found in chosen.items()}
    return examine(settings.strategy, histories, supply=supply_of(channel, chosen))


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
