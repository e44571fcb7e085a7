"""This is the simulated market: what every symbol has done up to a moment, and never what it will do.

Only the simulation's own player asks it for prints ahead (`prints`); everything that a client sees goes through
`snapshot`, `daily_bars`, `minute_bars` and `book`, which take the moment and look back from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Final

from adapters.kis_sim.books import Book, draw_book
from adapters.kis_sim.histories import DayBar, History, MinuteBar
from adapters.kis_sim.hours import Timetable, kst
from adapters.kis_sim.securities import Securities
from adapters.kis_sim.tapes import SPACING, DaySoFar, Grid, Print, Tape, draw_tape, read_tape
from trading.instruments import Instrument
from trading.krx import NO_LIMITS, PriceLimits, price_limits, tick_size

_DAYS_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One symbol at one moment; `base` is the previous close, `today` None before the day's first print."""

    instrument: Instrument
    at: datetime
    base: int
    limits: PriceLimits
    tick: int
    today: DaySoFar | None

    @property
    def last(self) -> int:
        """The last price in won; the base before the first print."""
        return self.today.last.price if self.today else self.base

    @property
    def change(self) -> int:
        """Won above (or below) the base."""
        return self.last - self.base

    @property
    def volume(self) -> int:
        """Shares traded today."""
        return self.today.volume if self.today else 0

    @property
    def value(self) -> int:
        """Won traded today."""
        return self.today.value if self.today else 0


class Day:
    """What is fixed about one symbol's day, and its tape, which is drawn when first needed."""

    def __init__(
        self, instrument: Instrument, day: date, past: DayBar | None, first_price: int
    ) -> None:
        self.instrument = instrument
        self.day = day
        self.base = past.close if past else first_price
        self.usual_volume = past.volume if past else 0
        self.limits = self._limits()
        self.grid = self._grid()
        self.tape = Tape(())

    def _limits(self) -> PriceLimits:
        board, kind = self.instrument.market, self.instrument.kind
        if self.base < 1:
            return NO_LIMITS
        return price_limits(self.base, on=self.day, market=board, kind=kind)

    def _grid(self) -> Grid:
        """Return the tick table of the day, which remembers what it was asked."""
        board, kind = self.instrument.market, self.instrument.kind

        @cache
        def tick(price: int) -> int:
            return tick_size(max(1, price), on=self.day, market=board, kind=kind)

        return tick


class Market:
    """Prices of every symbol of a history, played on a timetable from a seed."""

    def __init__(
        self,
        history: History,
        securities: Securities,
        timetable: Timetable,
        seed: int,
        *,
        spacing: int = SPACING,
    ) -> None:
        self.history = history
        self.securities = securities
        self.timetable = timetable
        self._seed = seed
        self._spacing = spacing
        self._days: dict[tuple[str, date], Day | None] = {}
        self._taken: dict[str, tuple[tuple[date, int], dict[int, int]]] = {}

    def instrument(self, symbol: str, at: datetime) -> Instrument | None:
        """Return the instrument as it is at `at`, None for what is not traded here."""
        return self.securities.instrument(symbol, kst(at).date())

    def base(self, symbol: str, day: date) -> int:
        """Return the reference price: the last close before `day`, else the first price ever."""
        found = self._day(symbol, day)
        return found.base if found else 0

    def limits(self, symbol: str, day: date) -> PriceLimits:
        """Return the lowest and the highest price that may be ordered on `day`."""
        found = self._day(symbol, day)
        return found.limits if found else NO_LIMITS

    def snapshot(self, symbol: str, at: datetime) -> Snapshot | None:
        """Return what is known of a symbol at `at`, None for what is not traded here."""
        day = self._day(symbol, kst(at).date())
        if day is None:
            return None
        today = day.tape.so_far(at)
        last = today.last.price if today else day.base
        return Snapshot(day.instrument, at, day.base, day.limits, day.grid(last), today)

    def prints(self, symbol: str, after: datetime, until: datetime) -> tuple[Print, ...]:
        """Return the prints of one day later than `after`, up to and with `until`. For the player alone."""
        day = self._day(symbol, kst(until).date())
        return day.tape.between(after, until) if day else ()

    def prints_so_far(self, symbol: str, at: datetime) -> tuple[Print, ...]:
        """Return today's prints up to `at`, oldest first."""
        day = self._day(symbol, kst(at).date())
        return day.tape.until(at) if day else ()

    def daily_bars(self, symbol: str, at: datetime) -> tuple[DayBar, ...]:
        """Return all bars known at `at`, oldest first; the last one is today's as far as it has come."""
        day = kst(at).date()
        snapshot, past = self.snapshot(symbol, at), self.history.before(symbol, day)
        if snapshot is None or snapshot.today is None:
            return past
        return (*past, _bar_of(day, snapshot.today))

    def minute_bars(self, symbol: str, day: date, at: datetime) -> tuple[MinuteBar, ...]:
        """Return the bars of the minutes of `day` that had a print by `at`, oldest first."""
        found = self._day(symbol, day)
        minutes: dict[datetime, list[Print]] = defaultdict(list)
        for each in found.tape.until(at) if found else ():
            minutes[each.at.replace(second=0, microsecond=0)].append(each)
        return tuple(_minute_of(start, prints) for start, prints in minutes.items())

    def book(self, symbol: str, at: datetime) -> Book:
        """Return the order book at `at`, less what our own orders took since the last print."""
        day = self._day(symbol, kst(at).date())
        if day is None or day.base < 1:
            return Book((), ())
        today = day.tape.so_far(at)
        moment = (day.day, today.index if today else -1)
        book = draw_book(
            today.last.price if today else day.base,
            is_ask=today.last.is_buy if today else False,
            grid=day.grid,
            limits=day.limits,
            usual_volume=day.usual_volume,
            random=self._random(f"book {symbol} {moment[0]} {moment[1]}"),
        )
        return book.without(self._taken_since(symbol, moment))

    def take(self, symbol: str, at: datetime, price: int, quantity: int) -> None:
        """Remember that an order of ours traded away a part of the book, until the next print."""
        day = kst(at).date()
        moment = (day, len(self.prints_so_far(symbol, at)) - 1)
        taken = self._taken_since(symbol, moment)
        taken[price] = taken.get(price, 0) + quantity
        self._taken[symbol] = (moment, taken)

    def _taken_since(self, symbol: str, moment: tuple[date, int]) -> dict[int, int]:
        since, taken = self._taken.get(symbol, (moment, {}))
        return taken if since == moment else {}

    def _day(self, symbol: str, day: date) -> Day | None:
        """Return a symbol's day, played once; None for what is not traded here."""
        key = (symbol, day)
        if key not in self._days:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[key] = self._play(symbol, day)
        return self._days[key]

    def _play(self, symbol: str, on: date) -> Day | None:
        instrument = self.securities.instrument(symbol, on)
        if instrument is None:
            return None
        bar = self.history.bar(symbol, on)
        past = self.history.adjusted(symbol, self.history.before(symbol, on)[-1:], on)
        day = Day(instrument, on, past[-1] if past else None, bar.open if bar else 0)
        if bar is not None and self.timetable.is_trading_day(on):
            day.tape = self._tape(day, bar)
        return day

    def _tape(self, day: Day, bar: DayBar) -> Tape:
        symbol, hours = day.instrument.symbol, self.timetable.hours(day.day)
        minutes = self.history.minutes.get((symbol, day.day))
        if minutes:
            return read_tape(minutes, hours)
        random = self._random(f"{symbol} {day.day}")
        return draw_tape(bar, hours, day.grid, random, spacing=self._spacing)

    def _random(self, purpose: str) -> Random:
        """Return a source of its own for each purpose: text seeds do not depend on the hash seed."""
        return Random(f"{self._seed} {purpose}")  # noqa: S311 - drawn prices, no secrets


def _bar_of(day: date, today: DaySoFar) -> DayBar:
    return DayBar(
        day,
        today.first.price,
        today.highest.price,
        today.lowest.price,
        today.last.price,
        today.volume,
    )


def _minute_of(start: datetime, prints: list[Print]) -> MinuteBar:
    prices = [each.price for each in prints]
    volume = sum(each.volume for each in prints)
    value = sum(each.price * each.volume for each in prints)
    return MinuteBar(kst(start), prices[0], max(prices), min(prices), prices[-1], volume, value)
