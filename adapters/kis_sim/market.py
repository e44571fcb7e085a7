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

_TAPES_KEPT: Final = 256


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
        self._tapes: dict[tuple[str, date], Tape] = {}
        self._taken: dict[str, tuple[tuple[date, int], dict[int, int]]] = {}

    def instrument(self, symbol: str, at: datetime) -> Instrument | None:
        """Return the instrument as it is at `at`, None for what is not traded here."""
        return self.securities.instrument(symbol, kst(at).date())

    def base(self, symbol: str, day: date) -> int:
        """Return the reference price: the last close before `day`, else the first price ever."""
        before = self.history.before(symbol, day)
        if before:
            return before[-1].close
        bar = self.history.bar(symbol, day)
        return bar.open if bar else 0

    def snapshot(self, symbol: str, at: datetime) -> Snapshot | None:
        """Return what is known of a symbol at `at`, None for what is not traded here."""
        instrument = self.instrument(symbol, at)
        if instrument is None:
            return None
        day = kst(at).date()
        base, grid = self.base(symbol, day), self._grid(instrument, day)
        today = self._tape(symbol, day).so_far(at)
        last = today.last.price if today else base
        limits = self.limits(instrument, day)
        return Snapshot(instrument, at, base, limits, grid(max(1, last)), today)

    def limits(self, instrument: Instrument, day: date) -> PriceLimits:
        """Return the lowest and the highest price that may be ordered on `day`."""
        base = self.base(instrument.symbol, day)
        if base < 1:
            return NO_LIMITS
        return price_limits(base, on=day, market=instrument.market, kind=instrument.kind)

    def prints(self, symbol: str, after: datetime, until: datetime) -> tuple[Print, ...]:
        """Return the prints of one day later than `after`, up to and with `until`. For the player alone."""
        return self._tape(symbol, kst(until).date()).between(after, until)

    def prints_so_far(self, symbol: str, at: datetime) -> tuple[Print, ...]:
        """Return today's prints up to `at`, oldest first."""
        return self._tape(symbol, kst(at).date()).until(at)

    def daily_bars(self, symbol: str, at: datetime) -> tuple[DayBar, ...]:
        """Return all bars known at `at`, oldest first; the last one is today's as far as it has come."""
        day = kst(at).date()
        today = self._tape(symbol, day).so_far(at)
        past = self.history.before(symbol, day)
        return past if today is None else (*past, _bar_of(day, today))

    def minute_bars(self, symbol: str, day: date, at: datetime) -> tuple[MinuteBar, ...]:
        """Return the bars of the minutes of `day` that had a print by `at`, oldest first."""
        minutes: dict[datetime, list[Print]] = defaultdict(list)
        for each in self._tape(symbol, day).until(at):
            minutes[each.at.replace(second=0, microsecond=0)].append(each)
        return tuple(_minute_of(start, prints) for start, prints in minutes.items())

    def book(self, symbol: str, at: datetime) -> Book:
        """Return the order book at `at`, less what our own orders took since the last print."""
        snapshot = self.snapshot(symbol, at)
        if snapshot is None or snapshot.last < 1:
            return Book((), ())
        day, today = kst(at).date(), snapshot.today
        past = self.history.before(symbol, day)
        index = today.index if today else -1
        book = draw_book(
            snapshot.last,
            is_ask=today.last.is_buy if today else False,
            grid=self._grid(snapshot.instrument, day),
            limits=snapshot.limits,
            usual_volume=past[-1].volume if past else 0,
            random=self._random(f"book {symbol} {day} {index}"),
        )
        return book.without(self._taken_since(symbol, (day, index)))

    def take(self, symbol: str, at: datetime, price: int, quantity: int) -> None:
        """Remember that an order of ours traded away a part of the book, until the next print."""
        day = kst(at).date()
        index = self._tape(symbol, day).count_until(at) - 1
        taken = self._taken_since(symbol, (day, index))
        taken[price] = taken.get(price, 0) + quantity
        self._taken[symbol] = ((day, index), taken)

    def _taken_since(self, symbol: str, moment: tuple[date, int]) -> dict[int, int]:
        since, taken = self._taken.get(symbol, (moment, {}))
        return taken if since == moment else {}

    def _tape(self, symbol: str, day: date) -> Tape:
        key = (symbol, day)
        if key not in self._tapes:
            if len(self._tapes) >= _TAPES_KEPT:
                self._tapes.clear()
            self._tapes[key] = self._play(symbol, day)
        return self._tapes[key]

    def _play(self, symbol: str, day: date) -> Tape:
        bar = self.history.bar(symbol, day)
        instrument = self.securities.instrument(symbol, day)
        if bar is None or instrument is None or not self.timetable.is_trading_day(day):
            return Tape(())
        hours = self.timetable.hours(day)
        minutes = self.history.minutes.get((symbol, day))
        if minutes:
            return read_tape(minutes, hours)
        grid, random = self._grid(instrument, day), self._random(f"{symbol} {day}")
        return draw_tape(bar, hours, grid, random, spacing=self._spacing)

    def _grid(self, instrument: Instrument, day: date) -> Grid:
        @cache
        def tick(price: int) -> int:
            return tick_size(price, on=day, market=instrument.market, kind=instrument.kind)

        return tick

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
