"""This is a recorded day's signals decided anew: from the bars, and from what each strategy held at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from backtest.minute_looks import MinuteLooks
from backtest.owners import owned
from backtest.plans import ReplayPlan
from backtest.recordings import Recording
from strategies.evaluation import Outlook, Validity, bars_to_read, look, protective_signal
from strategies.exits import Trigger
from strategies.holdings import holdings_of
from strategies.settings import StrategySettings
from trading.bars import Interval
from trading.day_stories import executions_in_order
from trading.executions import Execution
from trading.instruments import Symbol
from trading.positions import Position
from trading.sessions import TradingCalendar
from trading.signals import Signal


@dataclass
class SignalMaker:
    """Decides as on the day; `recording` holds its bars and fills, `plan_of` the settings of a version."""

    recording: Recording
    calendar: TradingCalendar
    plan_of: Callable[[int], ReplayPlan]
    _outlooks: dict[tuple[str, str, date], Outlook] = field(default_factory=dict)
    _looks: MinuteLooks = field(init=False)
    _fills: tuple[Execution, ...] = field(init=False)
    _adopted: Mapping[Symbol, int] = field(init=False)

    def __post_init__(self) -> None:
        """Take the minutes from the recording, and put its fills into the order in which they were made."""
        self._looks = MinuteLooks(self.recording.minutes)
        self._fills = (*self.recording.past, *executions_in_order(self.recording.actual.executions))
        self._adopted = self.recording.adopted

    def made_anew(self) -> tuple[Signal, ...]:
        """Give each recorded signal as its strategy makes it again; one that it does not make is missing."""
        return tuple(
            again for signal in self.recording.actual.signals for again in self._again(signal)
        )

    def _again(self, signal: Signal) -> Iterator[Signal]:
        strategies = self.plan_of(signal.config_version).strategies
        for settings in (each for each in strategies if each.id == signal.strategy_id):
            for candidate in self._candidates(signal, settings):
                if candidate.signal_id == signal.signal_id:
                    yield replace(candidate, config_version=signal.config_version)
                    return

    def _candidates(self, signal: Signal, settings: StrategySettings) -> Iterator[Signal]:
        validity = Validity(signal.trading_day, signal.created_at, signal.expires_at)
        holdings = self._holdings(signal)
        held = holdings.get(signal.symbol, Position(signal.symbol))
        if signal.trigger in {Trigger.STOP, Trigger.TARGET}:
            peak = int(signal.indicators.get("highest", 0))
            leaving = protective_signal(
                settings, held, signal.reference_price, validity=validity, peak=peak
            )
            if leaving:
                yield leaving
        if settings.interval is Interval.MINUTE:
            yield from self._looks.signals(settings, holdings, signal.created_at)
        else:
            yield from self._outlook(settings, signal.trading_day).evaluate(held, validity).signals

    def _holdings(self, signal: Signal) -> Mapping[Symbol, Position]:
        before = (fill for fill in self._fills if fill.executed_at < signal.created_at)
        return holdings_of(signal.strategy_id, owned(before, self._adopted))

    def _outlook(self, settings: StrategySettings, day: date) -> Outlook:
        key = (settings.id, settings.parameter_hash, day)
        if key not in self._outlooks:
            closed_day = self.calendar.previous_trading_day(day)
            count = bars_to_read(settings.strategy.warm_up)
            pasts = {
                symbol: [
                    b for b in self.recording.bars.get(symbol, ()) if b.trading_day <= closed_day
                ][-count:]
                for symbol in settings.symbols
            }
            self._outlooks[key] = look(settings, pasts, closed_day=closed_day)
        return self._outlooks[key]
