"""This is whether an account decided as its strategies do on the same bars, signal by signal, and why not.

Each decision is made anew from the recorded bars and from what the strategy held at that moment by its recorded
fills, so that one missed fill is no chain of unequal decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial

from backtest.minute_looks import MinuteLooks
from backtest.owners import owned
from backtest.peaks import AT_THE_OPENING, highest_before
from backtest.recordings import Recording
from backtest.scales import prices_of, repriced
from strategies.evaluation import Outlook, Validity, bars_to_read, look
from strategies.exits import Trigger, evaluate_exit, exit_levels
from strategies.holdings import Entry, entries_of, holdings_of
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.executions import Execution
from trading.instruments import Symbol
from trading.positions import Position
from trading.sessions import Phase, TradingCalendar, session_of
from trading.signals import Direction, Signal


class Why(StrEnum):
    """Why a decision differs; EQUAL when it does not."""

    EQUAL = "equal"
    HALTED = "halted"
    """Trading stood."""
    NOT_MADE = "not_made"
    """Nobody looked in time: no run, or no prices."""
    SETTINGS = "settings"
    """It was made with other parameters than those of the version in force in the morning, or by none of its strategies."""
    BARS = "bars"
    """The bars have changed since."""
    HOLDING = "holding"
    """What was held then is not what the fills say."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of the account or of its strategies, and whether the other made it too."""

    trading_day: date
    strategy_id: str
    symbol: Symbol
    direction: Direction
    trigger: str
    why: Why

    @property
    def is_equal(self) -> bool:
        """Whether both made it."""
        return self.why is Why.EQUAL


def compare_decisions(
    recording: Recording, calendar: TradingCalendar
) -> tuple[tuple[Decision, ...], int]:
    """Give every decision in order, and at how many closed bars the strategies looked."""
    judge = _Judge(recording, calendar)
    days = calendar.trading_days(recording.first, recording.last)
    return tuple(decision for day in days for decision in judge.judge(day)), judge.looks


class _Judge:
    def __init__(self, recording: Recording, calendar: TradingCalendar) -> None:
        self._recording = recording
        self._calendar = calendar
        fills = (repriced(recording, fill) for fill in recording.actual.executions)
        self._fills = (*recording.past, *fills)
        self._adopted = recording.adopted
        self._bars = {
            symbol: {bar.trading_day: bar for bar in bars}
            for symbol, bars in recording.bars.items()
        }
        self._outlooks: dict[tuple[str, date], Outlook] = {}
        self._minutes = MinuteLooks(recording.minutes)
        self.looks = 0

    def judge(self, day: date) -> Iterator[Decision]:
        """Hold the decisions of a day against those that the strategies make anew."""
        made = [s for s in self._recording.actual.signals if s.trading_day == day]
        strategies = self._recording.plan_of(day).strategies
        for settings in strategies:
            own = [signal for signal in made if signal.strategy_id == settings.id]
            for symbol in settings.symbols:
                self.looks += self._count(settings, symbol, day)
                here = [signal for signal in own if signal.symbol == symbol]
                yield from self._judge_symbol(settings, symbol, day, here)
        meant = {(settings.id, symbol) for settings in strategies for symbol in settings.symbols}
        for signal in made:
            if (signal.strategy_id, signal.symbol) not in meant:
                yield _decision(signal, self._stray(signal, strategies))

    def _stray(self, signal: Signal, strategies: Sequence[StrategySettings]) -> Why:
        """Judge what no strategy of the morning decides; what it holds still, it guards."""
        if signal.trigger in {Trigger.STOP, Trigger.TARGET}:
            for settings in strategies:
                if settings.id == signal.strategy_id:
                    return self._presence(settings, signal, ())
        return Why.SETTINGS

    def _judge_symbol(
        self, settings: StrategySettings, symbol: Symbol, day: date, made: Sequence[Signal]
    ) -> Iterator[Decision]:
        expected = self._expected(settings, symbol, day)
        known = {signal.signal_id for signal in made}
        for signal in expected:
            if signal.signal_id not in known:
                yield _decision(signal, self._absence(settings, symbol, signal.created_at))
        for signal in made:
            yield _decision(signal, self._presence(settings, signal, expected))
        if not any(signal.direction is Direction.EXIT for signal in made):
            trigger = self._reached(settings, symbol, day)
            if trigger:
                why = self._absence(settings, symbol, session_of(day).opens_at)
                yield Decision(day, settings.id, symbol, Direction.EXIT, trigger, why)

    def _count(self, settings: StrategySettings, symbol: Symbol, day: date) -> int:
        """Count the closed bars of a day at which a strategy looks at a symbol: one, or each minute's."""
        if settings.interval is Interval.DAY:
            return 1
        return len(self._minutes.of_day(settings, symbol, day))

    def _expected(
        self, settings: StrategySettings, symbol: Symbol, day: date
    ) -> tuple[Signal, ...]:
        """Give what the strategy decides on a day about a symbol, from what it held by the fills."""
        if settings.interval is Interval.DAY:
            morning = session_of(day).window(Phase.OPENING_AUCTION).starts_at
            return self._anew(settings, symbol, day, at=morning)
        held = partial(self._held, settings.id, symbol)
        return tuple(self._minutes.expected(settings, symbol, day, held))

    def _anew(
        self, settings: StrategySettings, symbol: Symbol, day: date, *, at: datetime
    ) -> tuple[Signal, ...]:
        validity = Validity(day, at, session_of(day).closes_at)
        held = self._held(settings.id, symbol, at)
        if settings.interval is Interval.MINUTE:
            return tuple(self._minutes.signals(settings, {symbol: held}, at))
        return self._outlook(settings, day).evaluate(held, validity).signals

    def _outlook(self, settings: StrategySettings, day: date) -> Outlook:
        """Let the strategy look at all of its symbols, once a day."""
        if (settings.id, day) not in self._outlooks:
            closed_day = self._calendar.previous_trading_day(day)
            count = bars_to_read(settings.strategy.warm_up)
            pasts = {s: self._until(s, closed_day)[-count:] for s in settings.symbols}
            self._outlooks = {(settings.id, day): look(settings, pasts, closed_day=closed_day)}
        return self._outlooks[settings.id, day]

    def _until(self, symbol: Symbol, day: date) -> list[Bar]:
        return [bar for bar in self._recording.bars.get(symbol, ()) if bar.trading_day <= day]

    def _presence(
        self, settings: StrategySettings, signal: Signal, expected: Sequence[Signal]
    ) -> Why:
        """Say whether the strategy decides so, too, with what it held when it did."""
        if signal.parameter_hash != settings.parameter_hash:
            return Why.SETTINGS
        at, day = signal.created_at, signal.trading_day
        if signal.trigger in {Trigger.STOP, Trigger.TARGET}:
            held = self._held(settings.id, signal.symbol, at)
            price, peak = prices_of(self._recording, signal)
            is_reached = evaluate_exit(held, price, settings.exits, peak=peak)
            return Why.EQUAL if is_reached == signal.trigger else Why.HOLDING
        again = (*expected, *self._anew(settings, signal.symbol, day, at=at))
        for each in again:
            if each.signal_id == signal.signal_id:
                return Why.EQUAL if each.target_weight == signal.target_weight else Why.BARS
        bar = self._seen(settings, signal)
        is_known = bar is not None and bar.close == signal.reference_price
        return Why.HOLDING if is_known else Why.BARS

    def _absence(self, settings: StrategySettings, symbol: Symbol, at: datetime) -> Why:
        stops = self._recording.stops
        return Why.HALTED if any(s.holds(settings.id, symbol, at) for s in stops) else Why.NOT_MADE

    def _reached(self, settings: StrategySettings, symbol: Symbol, day: date) -> Trigger | None:
        """Give the exit that a bar of the day reached while the strategy held the symbol from its beginning on."""
        if settings.interval is Interval.MINUTE:
            held_at = partial(self._held, settings.id, symbol)
            entry_at = partial(self._entry, settings.id, symbol)
            return self._minutes.reached(settings, symbol, day, held_at, entry_at)
        bar = self._bar(symbol, day)
        opened = session_of(day).opens_at + AT_THE_OPENING
        held = self._held(settings.id, symbol, opened)
        if bar is None or bar.volume == 0 or not held.quantity:
            return None
        entry = self._entry(settings.id, symbol, opened)
        peak = highest_before(day, entry, self._recording.bars[symbol])
        levels = exit_levels(held, settings.exits, peak=peak)
        return levels.reached(bar.low) or levels.reached(bar.high)

    def _held(self, strategy_id: str, symbol: Symbol, at: datetime) -> Position:
        """Give what the strategy held at a moment."""
        held = holdings_of(strategy_id, self._standing(symbol, at))
        return held.get(symbol, Position(symbol))

    def _entry(self, strategy_id: str, symbol: Symbol, at: datetime) -> Entry:
        """Tell how what the strategy held at a moment began."""
        return entries_of(strategy_id, self._standing(symbol, at))[symbol]

    def _standing(self, symbol: Symbol, at: datetime) -> tuple[Execution, ...]:
        """Give the fills behind what is held of a symbol at a moment."""
        fills = (fill for fill in self._fills if fill.symbol == symbol and fill.executed_at < at)
        return owned(fills, self._adopted)

    def _seen(self, settings: StrategySettings, signal: Signal) -> Bar | None:
        """Give the bar that the decision looked at last."""
        if settings.interval is Interval.MINUTE:
            return self._minutes.bar(signal.symbol, signal.created_at)
        before = self._calendar.previous_trading_day(signal.trading_day)
        return self._bar(signal.symbol, before)

    def _bar(self, symbol: Symbol, day: date) -> Bar | None:
        return self._bars.get(symbol, {}).get(day)


def _decision(signal: Signal, why: Why) -> Decision:
    return Decision(
        signal.trading_day, signal.strategy_id, signal.symbol, signal.direction, signal.trigger, why
    )
