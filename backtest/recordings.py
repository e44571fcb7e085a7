"""This is what an account did on some days, as a replay of the same days can be held against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction

from backtest.owners import owned, shares_of
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from risk.sizing import MARKET_TRIGGER
from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.executions import Execution
from trading.halts import Halt
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.manual_orders import MANUAL
from trading.orders import Order
from trading.sessions import TradingCalendar
from trading.signals import Signal


@dataclass(frozen=True, slots=True)
class Happened:
    """Signals, orders and fills in order, and the book that they led to."""

    signals: tuple[Signal, ...]
    orders: tuple[Order, ...]
    executions: tuple[Execution, ...]
    closing: Ledger


@dataclass(frozen=True, slots=True)
class Stop:
    """A halt, and when it was lifted; None if it is in force."""

    halt: Halt
    until: datetime | None = None

    def holds(self, strategy_id: str, symbol: Symbol, at: datetime) -> bool:
        """Tell whether it stopped a strategy's symbol at a moment."""
        is_on = self.halt.at <= at and (self.until is None or at < self.until)
        return is_on and self.halt.concerns(strategy_id, symbol)


@dataclass(frozen=True, slots=True)
class Recording:
    """What is stored of an account: `actual` is what happened, `plans` what the versions in force meant to do.

    One plan for each version, oldest first, without a gap; the first has the account's book before it. `taken_over`
    is the worth in won, at the time, of positions adopted meanwhile. `minutes` are the bars of the strategies that
    look at those. `scales` say what a price of a day is multiplied with on the last one, where a split lies between.
    """

    plans: tuple[ReplayPlan, ...]
    bars: Mapping[Symbol, Sequence[Bar]]
    actual: Happened
    taken_over: int = 0
    stops: tuple[Stop, ...] = ()
    minutes: Mapping[Symbol, Sequence[Bar]] = field(default_factory=dict)
    scales: Mapping[tuple[Symbol, date], Fraction] = field(default_factory=dict)

    @property
    def first(self) -> date:
        """The first day."""
        return self.plans[0].first

    @property
    def last(self) -> date:
        """The last day."""
        return self.plans[-1].last

    @property
    def opening(self) -> Ledger:
        """The book before the first day."""
        return self.plans[0].opening or Ledger("")

    @property
    def past(self) -> tuple[Execution, ...]:
        """The fills before the first day that stand, on the scale of the last day's prices."""
        return self.plans[0].past

    @property
    def adopted(self) -> Mapping[Symbol, int]:
        """The shares of each symbol that no fill brought, up to the last day."""
        held = {symbol: each.quantity for symbol, each in self.actual.closing.positions.items()}
        traded = shares_of((*self.past, *self.actual.executions))
        return {symbol: held.get(symbol, 0) - traded[symbol] for symbol in held.keys() | traded}

    @property
    def paid_in(self) -> int:
        """Won that deposits brought in."""
        return sum(sum(plan.deposits.values()) for plan in self.plans)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that was meant to trade, or did, by name."""
        meant = [settings.id for plan in self.plans for settings in plan.strategies]
        did = (fill.strategy_id for fill in self.actual.executions)
        return tuple(dict.fromkeys((*meant, *(name for name in did if name != MANUAL))))

    def scale(self, strategy_id: str, symbol: Symbol, day: date) -> Fraction:
        """Give what a price that a strategy of daily bars saw is multiplied with on the last day."""
        found = self.scales.get((symbol, day))
        return Fraction(1) if found is None or strategy_id in self._by_the_minute else found

    @property
    def _by_the_minute(self) -> set[str]:
        strategies = (settings for plan in self.plans for settings in plan.strategies)
        return {each.id for each in strategies if each.interval is Interval.MINUTE}

    def plan_of(self, day: date) -> ReplayPlan:
        """Give what was meant to be done on a day."""
        return next(plan for plan in self.plans if plan.first <= day <= plan.last)

    def close(self, symbol: Symbol, *, until: date) -> int:
        """Give the last close up to a day.

        Raises:
            BadInput: when there is none; a missing price must never count as zero.
        """
        bars = self.bars.get(symbol, ())
        closes = [bar.close for bar in bars if bar.trading_day <= until and bar.close]
        if not closes:
            raise BadInput(f"bars of {symbol}", "none", f"a close up to {until.isoformat()}")
        return closes[-1]

    def worth(self, book: Ledger, *, until: date) -> int:
        """Value a book at the last closes up to a day; raises what `close` raises."""
        return book.equity(
            {symbol: self.close(symbol, until=until) for symbol in book.held_symbols}
        )


def stops_before(
    day: date, signals: Iterable[Signal], calendar: TradingCalendar
) -> Mapping[Symbol, int]:
    """Count the sessions from each symbol's last stop among `signals`, oldest first, to `day`."""
    return {
        signal.symbol: len(calendar.trading_days(signal.trading_day, day)) - 1
        for signal in signals
        if signal.trigger == MARKET_TRIGGER
    }


def replay(recording: Recording, calendar: TradingCalendar) -> Happened:
    """Trade the recorded days anew, each version's days with its settings, from the same opening.

    What the gate counts over days (falls, losing days, stops) goes on from one version to the next.

    Raises:
        BadInput: when plans and bars do not fit.
    """
    book, past = recording.opening, owned(recording.past, recording.adopted)
    first, *_ = recording.plans
    curve, parts = first.curve, list[ReplayResult]()
    for plan in recording.plans:
        told = (signal for part in parts for signal in part.signals)
        stopped = {s: since + len(curve) - len(first.curve) for s, since in first.stopped.items()}
        stopped |= stops_before(plan.first, told, calendar)
        again = replace(plan, opening=book, past=past, curve=curve, stopped=stopped)
        part = run_replay(recording.bars, again, calendar, minutes=recording.minutes)
        book, past, curve = part.ledger, (*past, *part.executions), (*curve, *part.equity)
        parts.append(part)
    return Happened(
        signals=tuple(signal for part in parts for signal in part.signals),
        orders=tuple(order for part in parts for order in part.orders),
        executions=tuple(execution for part in parts for execution in part.executions),
        closing=book,
    )
