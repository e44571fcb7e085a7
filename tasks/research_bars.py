"""This is where a backtest of the channel gets its bars: each strategy's own interval, from a file or the stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from adapters.bar_files import read_bars
from adapters.minute_files import read_minutes
from adapters.stores import UnitOfWork
from backtest.channel_bars import ChannelBars, only_by_the_minute
from strategies.settings import StrategySettings
from trading.bars import Interval
from trading.errors import BadInput

EVER: Final = (date(2000, 1, 1), date(2100, 12, 31))

type Strategies = Sequence[StrategySettings]


def bars_of_file(path: Path, strategies: Strategies) -> ChannelBars:
    """Read a file of minute bars where all strategies look at those, else one of daily bars.

    Raises:
        BadInput: for a file that is wrong, or strategies of which some look at days and some at minutes.
    """
    if only_by_the_minute(strategies):
        return ChannelBars(minutes=read_minutes(path))
    mixed = ", ".join(each.id for each in strategies if each.interval is Interval.MINUTE)
    if mixed:
        raise BadInput("--data", path.name, f"no file, or --strategy: {mixed} looks at minute bars")
    return ChannelBars(read_bars(path))


def bars_of_stores(work: UnitOfWork, strategies: Strategies) -> ChannelBars:
    """Read all bars that the strategies look at, and the days of every symbol."""
    first, last = EVER
    symbols = sorted({symbol for each in strategies for symbol in each.symbols})
    minutes = {s for each in strategies if each.interval is Interval.MINUTE for s in each.symbols}
    return ChannelBars(
        {s: work.bars.between(s, Interval.DAY, first=first, last=last) for s in symbols},
        {s: work.bars.between(s, Interval.MINUTE, first=first, last=last) for s in sorted(minutes)},
    )
