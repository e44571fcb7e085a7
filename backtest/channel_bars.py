"""This is the bars that a channel's strategies look at, days and minutes, and a replay over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import groupby
from operator import attrgetter

from backtest.minutes import run_minutes
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from strategies.base import BarColumns, has_traded
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST, TradingCalendar

type Bars = Mapping[Symbol, Sequence[Bar]]


def only_by_the_minute(strategies: Iterable[StrategySettings]) -> bool:
    """Tell whether none of them looks at daily bars: then the account is told from minutes alone."""
    return all(settings.interval is Interval.MINUTE for settings in strategies)


@dataclass(frozen=True, slots=True)
class ChannelBars:
    """Bars by symbol, oldest first; `minutes` of those that a strategy of minute bars trades."""

    days: Bars = field(default_factory=dict)
    minutes: Bars = field(default_factory=dict)

    def run(self, plan: ReplayPlan, calendar: TradingCalendar) -> ReplayResult:
        """Trade the plan, each strategy by the bars of its own interval.

        Raises:
            BadInput: when plan and bars do not fit, or no strategy can decide on any of the days.
        """
        if only_by_the_minute(plan.strategies):
            bars, result = self.minutes, run_minutes(self.minutes, plan, calendar)
        else:
            bars = self.days
            result = run_replay(self.days, plan, calendar, minutes=self.minutes)
        if not result.equity:
            raise _too_few(bars, plan)
        return result

    def span(self, strategies: Sequence[StrategySettings]) -> Sequence[date]:
        """Give the days on which something that they look at has a bar."""
        looked_at = self.minutes if only_by_the_minute(strategies) else self.days
        symbols = sorted({symbol for settings in strategies for symbol in settings.symbols})
        return [bar.trading_day for symbol in symbols for bar in looked_at.get(symbol, ())]

    def columns(self, symbols: Iterable[Symbol]) -> dict[Symbol, BarColumns]:
        """Give the daily columns of what has any bars, put together from minutes where there are only those."""
        found = {
            symbol: self.days.get(symbol) or _days_of(self.minutes.get(symbol, ()))
            for symbol in symbols
        }
        return {symbol: BarColumns.of(bars) for symbol, bars in found.items() if bars}


def _too_few(bars: Bars, plan: ReplayPlan) -> BadInput:
    """Say how many bars there are until the plan's end, and how many the quickest strategy wants."""
    known = (sum(bar.trading_day <= plan.last for bar in bars.get(s, ())) for s in plan.symbols)
    quickest = min((each.strategy for each in plan.strategies), key=lambda each: each.warm_up)
    expected = f"at least {quickest.warm_up}, for a first decision of {quickest.kind}"
    return BadInput("bars", max(known, default=0), expected)


def bars_of(symbol: Symbol, columns: BarColumns) -> tuple[Bar, ...]:
    """Give columns as bars again."""
    return tuple(_bar(symbol, columns, place) for place in range(len(columns)))


def _bar(symbol: Symbol, columns: BarColumns, place: int) -> Bar:
    day = date.fromordinal(int(columns.days[place]))
    return Bar(
        symbol,
        Interval.DAY,
        day,
        datetime.combine(day, time(), KST).astimezone(UTC),
        open=int(columns.open[place]),
        high=int(columns.high[place]),
        low=int(columns.low[place]),
        close=int(columns.close[place]),
        volume=int(columns.volume[place]),
    )


def _days_of(minutes: Sequence[Bar]) -> list[Bar]:
    traded = (bar for bar in minutes if has_traded(bar))
    return [_day_of(list(bars)) for _, bars in groupby(traded, key=attrgetter("trading_day"))]


def _day_of(minutes: Sequence[Bar]) -> Bar:
    return replace(
        minutes[0],
        interval=Interval.DAY,
        high=max(bar.high for bar in minutes),
        low=min(bar.low for bar in minutes),
        close=minutes[-1].close,
        volume=sum(bar.volume for bar in minutes),
    )
