"""This is one symbol's past as a replay reads it: decided once, then told day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import numpy as np

from backtest.plans import ReplayPlan
from strategies.base import BarColumns, Decisions, has_traded
from strategies.evaluation import Validity, signals_at
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol
from trading.krx import price_limits
from trading.positions import Position
from trading.signals import Signal
from trading.ticks import Quote

NEVER: Final = -1


def histories_of(plan: ReplayPlan, bars: Mapping[Symbol, Sequence[Bar]]) -> dict[Symbol, History]:
    """Let the strategies of daily bars decide once about everything; each decision looks back only (see `Strategy`)."""
    columns = {symbol: BarColumns.of(bars[symbol]) for symbol in plan.symbols}
    decided = {
        settings.id: settings.strategy.evaluate_all({s: columns[s] for s in settings.symbols})
        for settings in plan.strategies
        if settings.interval is Interval.DAY
    }
    return {
        symbol: History(
            plan.instrument(symbol),
            bars[symbol],
            columns[symbol],
            {name: found[symbol] for name, found in decided.items() if symbol in found},
        )
        for symbol in plan.symbols
    }


class History:
    """The bars of one symbol, and what every strategy that trades it decides at each of them."""

    def __init__(
        self,
        instrument: Instrument,
        bars: Sequence[Bar],
        columns: BarColumns,
        decisions: Mapping[str, Decisions],
    ) -> None:
        """Take bars, the same as columns, and decisions by strategy."""
        self.instrument = instrument
        self._bars = {bar.trading_day: bar for bar in bars if has_traded(bar)}
        self._columns = columns
        self._index = {date.fromordinal(int(day)): i for i, day in enumerate(columns.days)}
        self._decisions = decisions

    def bar(self, day: date) -> Bar | None:
        """Give the day's bar, None when nothing traded."""
        return self._bars.get(day)

    def close_before(self, day: date) -> int | None:
        """Give the last close before `day`, None when there is none."""
        before = int(np.searchsorted(self._columns.days, day.toordinal()))
        return int(self._columns.close[before - 1]) if before else None

    def is_warm(self, day: date, settings: StrategySettings) -> bool:
        """Tell whether `day` has a bar and enough before it for the strategy to decide."""
        return self._index.get(day, NEVER) + 1 >= settings.strategy.warm_up

    def signals(
        self, day: date, settings: StrategySettings, position: Position, validity: Validity
    ) -> tuple[Signal, ...]:
        """Give what the strategy decided at the close of `day`: nothing on a day without trade."""
        if settings.id not in self._decisions or not self.is_warm(day, settings):
            return ()
        return signals_at(
            self._index[day],
            self._columns,
            self._decisions[settings.id],
            settings,
            position=position,
            validity=validity,
        )

    def quote(self, day: date, *, price: int, base: int, at: datetime) -> Quote:
        """Give the quote of a moment: `price` last, limits around `base`, halted when nothing trades today."""
        limits = price_limits(
            base, on=day, market=self.instrument.market, kind=self.instrument.kind
        )
        return Quote(
            symbol=self.instrument.symbol,
            last=price,
            open=0,
            high=0,
            low=0,
            volume=0,
            base_price=base,
            upper_limit=limits.upper,
            lower_limit=limits.lower,
            at=at,
            is_halted=day not in self._bars,
        )
