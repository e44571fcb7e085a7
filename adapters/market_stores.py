"""This is what maemae keeps of the market: bars, their factors, indices, instruments and trading days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from trading.adjustments import Adjustment, Factor
from trading.bars import Bar, BarGap, Interval
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, Symbol


class BarStore(Protocol):
    """Price history."""

    def upsert(self, bars: Sequence[Bar]) -> int:
        """Write bars, replacing equal keys (symbol, interval, at, source); give how many rows changed.

        A provisional bar never replaces a final one. Of two equal keys in `bars` the later counts.
        """
        ...

    def last(
        self, symbol: Symbol, interval: Interval, *, count: int, until: date
    ) -> tuple[Bar, ...]:
        """Give the last `count` bars with trading_day <= `until`, oldest first.

        One bar for each `at`: of several sources a final before a provisional one, then by name.
        """
        ...

    def between(
        self, symbol: Symbol, interval: Interval, *, first: date, last: date
    ) -> tuple[Bar, ...]:
        """Give the bars of the days `first` to `last`, oldest first, one for each `at` likewise."""
        ...

    def provisional_days(self, symbol: Symbol, interval: Interval) -> tuple[date, ...]:
        """Give the days whose bars are still provisional."""
        ...

    def put_gaps(self, gaps: Sequence[BarGap]) -> None:
        """Remember missing days; a later bar for the day closes its gap."""
        ...

    def gaps(self, symbol: Symbol | None = None) -> tuple[BarGap, ...]:
        """Give the open gaps."""
        ...


class AdjustmentStore(Protocol):
    """Daily prices as they were traded, and the factors that make the adjusted series of them, version by version."""

    def put_raw(self, bars: Sequence[Bar]) -> int:
        """Write raw daily bars, replacing those that differ; give how many rows changed."""
        ...

    def raw(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Give the raw bars of the days, oldest first."""
        ...

    def add(self, symbol: Symbol, factors: Sequence[Factor], *, at: datetime) -> Adjustment:
        """Write another version of a symbol's factors, and give it; those before stay."""
        ...

    def get(self, symbol: Symbol, version: int | None = None) -> Adjustment | None:
        """Give a version, the newest if none is named; None when there is none."""
        ...


class IndexStore(Protocol):
    """The levels of market indices by day."""

    def upsert(self, bars: Sequence[IndexBar]) -> int:
        """Write days, replacing those that differ; give how many rows changed."""
        ...

    def between(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Give the days `first` to `last`, oldest first."""
        ...


class InstrumentStore(Protocol):
    """The symbol master."""

    def upsert(self, instruments: Iterable[Instrument]) -> None:
        """Write or replace."""
        ...

    def get(self, symbol: Symbol) -> Instrument | None:
        """Give one."""
        ...

    def all(self) -> tuple[Instrument, ...]:
        """Give all, by symbol."""
        ...


class CalendarStore(Protocol):
    """The broker's answers about trading days; the authority where there are some."""

    def put(self, days: Mapping[date, bool], *, at: datetime) -> None:
        """Write or replace."""
        ...

    def all(self) -> dict[date, bool]:
        """Give all answers."""
        ...
