"""This is a recorded day's signals decided anew: from the bars, and from what each strategy held at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from backtest.recordings import Recording
from strategies.evaluation import Outlook, Validity, bars_to_read, look, protective_signal
from strategies.exits import Trigger
from strategies.holdings import holdings_of
from strategies.settings import StrategySettings
from trading.bars import Interval
from trading.positions import Position
from trading.sessions import TradingCalendar
from trading.signals import Signal


@dataclass
class SignalMaker:
    """Decides as on the day; `recording` holds its bars, plans and fills."""

    recording: Recording
    calendar: TradingCalendar
    _outlooks: dict[tuple[str, date], Outlook] = field(default_factory=dict)

    def made_anew(self) -> tuple[Signal, ...]:
        """Give each recorded signal as its strategy makes it again; one that it does not make is missing.

        Strategies of minute bars are taken as recorded: their bars are another story.
        """
        return tuple(
            again for signal in self.recording.actual.signals for again in self._again(signal)
        )

    def _again(self, signal: Signal) -> Iterator[Signal]:
        settings = self._settings(signal)
        if settings is None:
            return
        if settings.strategy.interval is Interval.MINUTE:
            yield signal
            return
        for candidate in self._candidates(signal, settings):
            if candidate.signal_id == signal.signal_id:
                yield replace(candidate, config_version=signal.config_version)
                return

    def _settings(self, signal: Signal) -> StrategySettings | None:
        plan = self.recording.plan_of(signal.trading_day)
        return next((s for s in plan.strategies if s.id == signal.strategy_id), None)

    def _candidates(self, signal: Signal, settings: StrategySettings) -> Iterator[Signal]:
        validity = Validity(signal.trading_day, signal.created_at, signal.expires_at)
        held = self._held(signal)
        if signal.trigger in {Trigger.STOP, Trigger.TARGET}:
            peak = int(signal.indicators.get("highest", 0))
            leaving = protective_signal(
                settings, held, signal.reference_price, validity=validity, peak=peak
            )
            if leaving:
                yield leaving
        yield from self._outlook(settings, signal.trading_day).evaluate(held, validity).signals

    def _held(self, signal: Signal) -> Position:
        fills = (*self.recording.past, *self.recording.actual.executions)
        before = (fill for fill in fills if fill.executed_at < signal.created_at)
        return holdings_of(signal.strategy_id, before).get(signal.symbol, Position(signal.symbol))

    def _outlook(self, settings: StrategySettings, day: date) -> Outlook:
        if (settings.id, day) not in self._outlooks:
            closed_day = self.calendar.previous_trading_day(day)
            count = bars_to_read(settings.strategy.warm_up)
            pasts = {
                symbol: [
                    b for b in self.recording.bars.get(symbol, ()) if b.trading_day <= closed_day
                ][-count:]
                for symbol in settings.symbols
            }
            self._outlooks[settings.id, day] = look(settings, pasts, closed_day=closed_day)
        return self._outlooks[settings.id, day]
