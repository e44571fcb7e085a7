"""This is how strategies of minute bars look at a recorded day: at each minute that closes, as the day's session did."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from strategies.base import BarColumns, Decisions, has_traded
from strategies.evaluation import (
    Validity,
    bars_to_read,
    flagged_signals,
    latest_of_all,
    short_lived,
)
from strategies.exits import Trigger, exit_levels
from strategies.holdings import Entry
from strategies.settings import StrategySettings
from trading.bars import Bar
from trading.instruments import Symbol
from trading.minute_bars import SETTLES, minute_closed
from trading.positions import Position
from trading.sessions import seoul_date, session_of
from trading.signals import Signal

A_MINUTE: Final = timedelta(minutes=1)

type HeldAt = Callable[[datetime], Position]
"""What a strategy held of a symbol at a moment."""


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """All minutes of one strategy's symbol that traded, and what it decides at each."""

    bars: Sequence[Bar]
    columns: BarColumns
    decisions: Decisions


@dataclass
class MinuteLooks:
    """The stored minute bars, oldest first, and what is decided at them."""

    minutes: Mapping[Symbol, Sequence[Bar]]
    _ends: dict[Symbol, list[datetime]] = field(init=False)
    _pasts: dict[tuple[str, str], Mapping[Symbol, _Past]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note when each bar ended."""
        self._ends = {symbol: [bar.at for bar in bars] for symbol, bars in self.minutes.items()}

    def signals(
        self, settings: StrategySettings, held: Mapping[Symbol, Position], at: datetime
    ) -> Iterator[Signal]:
        """Decide as the session did at `at`, about the symbols that had a bar of that very minute."""
        minute = minute_closed(at)
        session = session_of(seoul_date(minute))
        count = bars_to_read(settings.strategy.warm_up)
        pasts = {
            symbol: past
            for symbol in sorted(settings.symbols)
            if (past := self._until(symbol, minute, count)) and past[-1].at == minute
        }
        validity = Validity(session.trading_day, at, session.closes_at)
        found = latest_of_all(
            settings, pasts, held=held, closed_day=session.trading_day, validity=validity
        )
        for evaluation in found:
            for signal in evaluation.signals:
                yield short_lived(signal, minute)

    def expected(
        self, settings: StrategySettings, symbol: Symbol, day: date, held_at: HeldAt
    ) -> Iterator[Signal]:
        """Give what the strategy decides on a day, each thing once, from what it held at each minute."""
        past, told = self._past(settings, symbol), set()
        for index in self.of_day(settings, symbol, day):
            at = past.bars[index].at + SETTLES
            found = flagged_signals(
                index,
                past.columns,
                past.decisions,
                settings,
                position=held_at(at),
                validity=Validity(day, at, session_of(day).closes_at),
            )
            for signal in found:
                if signal.signal_id not in told:
                    told.add(signal.signal_id)
                    yield signal

    def reached(
        self,
        settings: StrategySettings,
        symbol: Symbol,
        day: date,
        held_at: HeldAt,
        entry_at: Callable[[datetime], Entry],
    ) -> Trigger | None:
        """Give the exit that a minute of the day reached while the strategy held the symbol from its beginning on."""
        past = self._past(settings, symbol)
        for index in self.of_day(settings, symbol, day):
            bar = past.bars[index]
            held = held_at(bar.at - A_MINUTE)
            if held.quantity:
                peak = _highest(past.bars[:index], entry_at(bar.at - A_MINUTE))
                levels = exit_levels(held, settings.exits, peak=peak)
                trigger = levels.reached(bar.low) or levels.reached(bar.high)
                if trigger:
                    return trigger
        return None

    def of_day(self, settings: StrategySettings, symbol: Symbol, day: date) -> range:
        """Give the places of a day's minutes at which the strategy looks: warm, before the closing auction."""
        if not self.minutes.get(symbol):
            return range(0)
        ends = [bar.at for bar in self._past(settings, symbol).bars]
        session = session_of(day)
        first = bisect_left(ends, session.opens_at)
        last = bisect_right(ends, session.closing_auction_at)
        return range(max(first, settings.strategy.warm_up - 1), last)

    def bar(self, symbol: Symbol, at: datetime) -> Bar | None:
        """Give the minute that had just closed."""
        found = self._until(symbol, minute_closed(at), 1)
        return found[0] if found and found[0].at == minute_closed(at) else None

    def _until(self, symbol: Symbol, minute: datetime, count: int) -> Sequence[Bar]:
        end = bisect_right(self._ends.get(symbol, []), minute)
        return self.minutes[symbol][max(0, end - count) : end] if end else ()

    def _past(self, settings: StrategySettings, symbol: Symbol) -> _Past:
        """Let the strategy decide once about all of its symbols."""
        key = (settings.id, settings.parameter_hash)
        if key not in self._pasts:
            bars = {
                s: [bar for bar in self.minutes[s] if has_traded(bar)]
                for s in settings.symbols
                if self.minutes.get(s)
            }
            columns = {s: BarColumns.of(found) for s, found in bars.items()}
            decided = settings.strategy.evaluate_all(columns)
            self._pasts[key] = {s: _Past(bars[s], columns[s], decided[s]) for s in bars}
        return self._pasts[key][symbol]


def _highest(bars: Sequence[Bar], entry: Entry) -> int:
    """Give the highest price in won of whole minutes since an entry, at least what was paid."""
    return max([entry.paid, *(bar.high for bar in bars if bar.at - A_MINUTE >= entry.at)])
