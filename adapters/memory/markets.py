"""This is price history, symbol master and calendar in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from adapters.memory.tables import Table
from trading.adjustments import Adjustment, Factor
from trading.bars import Bar, BarGap, Interval
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, Symbol

type BarKey = tuple[Symbol, Interval, datetime, str]


class MemoryBars:
    """Price history."""

    def __init__(self) -> None:
        self.rows: Table[BarKey, Bar] = Table()
        self.missing: Table[tuple[Symbol, date], BarGap] = Table()

    def upsert(self, bars: Sequence[Bar]) -> int:
        """Write bars; a provisional bar never replaces a final one; give how many rows changed."""
        distinct = {(bar.symbol, bar.interval, bar.at, bar.source): bar for bar in bars}
        changed = {key: bar for key, bar in distinct.items() if self._is_news(key, bar)}
        for key, bar in changed.items():
            self.rows.put(key, bar)
        for bar in bars:
            if bar.interval is Interval.DAY:
                self.missing.drop((bar.symbol, bar.trading_day))
        return len(changed)

    def last(
        self, symbol: Symbol, interval: Interval, *, count: int, until: date
    ) -> tuple[Bar, ...]:
        """Give the last `count` bars, oldest first."""
        return self.between(symbol, interval, first=date.min, last=until)[-count:]

    def between(
        self, symbol: Symbol, interval: Interval, *, first: date, last: date
    ) -> tuple[Bar, ...]:
        """Give the bars of the days, oldest first: one for each `at`, final before provisional."""
        known = [bar for bar in self._of(symbol, interval) if first <= bar.trading_day <= last]
        known.sort(key=lambda bar: (bar.is_provisional, bar.source), reverse=True)
        return tuple(bar for _, bar in sorted({bar.at: bar for bar in known}.items()))

    def provisional_days(self, symbol: Symbol, interval: Interval) -> tuple[date, ...]:
        """Give the days with provisional bars."""
        days = {bar.trading_day for bar in self._of(symbol, interval) if bar.is_provisional}
        return tuple(sorted(days))

    def put_gaps(self, gaps: Sequence[BarGap]) -> None:
        """Remember missing days."""
        for gap in gaps:
            self.missing.put((gap.symbol, gap.trading_day), gap)

    def gaps(self, symbol: Symbol | None = None) -> tuple[BarGap, ...]:
        """Give the open gaps, by symbol and day."""
        open_gaps = (gap for gap in self.missing if symbol in {None, gap.symbol})
        return tuple(sorted(open_gaps, key=lambda gap: (gap.symbol, gap.trading_day)))

    def _of(self, symbol: Symbol, interval: Interval) -> list[Bar]:
        return [bar for bar in self.rows if (bar.symbol, bar.interval) == (symbol, interval)]

    def _is_news(self, key: BarKey, bar: Bar) -> bool:
        known = self.rows.get(key)
        if known is None:
            return True
        return known != bar and (known.is_provisional or not bar.is_provisional)


class MemoryAdjustments:
    """Raw prices and factors."""

    def __init__(self) -> None:
        self.rows: Table[tuple[Symbol, date], Bar] = Table()
        self.versions: Table[tuple[Symbol, int], Adjustment] = Table()

    def put_raw(self, bars: Sequence[Bar]) -> int:
        """Write raw daily bars, replacing those that differ; give how many rows changed."""
        distinct = {(bar.symbol, bar.trading_day): bar for bar in bars}
        changed = {key: bar for key, bar in distinct.items() if self.rows.get(key) != bar}
        for key, bar in changed.items():
            self.rows.put(key, bar)
        return len(changed)

    def raw(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Give the raw bars of the days, oldest first."""
        known = [b for b in self.rows if b.symbol == symbol and first <= b.trading_day <= last]
        return tuple(sorted(known, key=lambda bar: bar.trading_day))

    def add(self, symbol: Symbol, factors: Sequence[Factor], *, at: datetime) -> Adjustment:
        """Write another version of a symbol's factors."""
        del at
        before = self.get(symbol)
        added = Adjustment(before.version + 1 if before else 1, tuple(factors))
        self.versions.put((symbol, added.version), added)
        return added

    def get(self, symbol: Symbol, version: int | None = None) -> Adjustment | None:
        """Give a version, the newest if none is named."""
        number = 0
        while version is None and self.versions.get((symbol, number + 1)):
            number += 1
        return self.versions.get((symbol, version or number))


class MemoryIndices:
    """The levels of indices."""

    def __init__(self) -> None:
        self.rows: Table[tuple[Index, date], IndexBar] = Table()

    def upsert(self, bars: Sequence[IndexBar]) -> int:
        """Write days, replacing those that differ; give how many rows changed."""
        distinct = {(bar.index, bar.trading_day): bar for bar in bars}
        changed = {key: bar for key, bar in distinct.items() if self.rows.get(key) != bar}
        for key, bar in changed.items():
            self.rows.put(key, bar)
        return len(changed)

    def between(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Give the days, oldest first."""
        start, end = (index, first), (index, last)
        known = [bar for bar in self.rows if start <= (bar.index, bar.trading_day) <= end]
        return tuple(sorted(known, key=lambda bar: bar.trading_day))


class MemoryInstruments:
    """What is traded."""

    def __init__(self) -> None:
        self.rows: Table[Symbol, Instrument] = Table()

    def upsert(self, instruments: Iterable[Instrument]) -> None:
        """Write or replace."""
        for instrument in instruments:
            self.rows.put(instrument.symbol, instrument)

    def get(self, symbol: Symbol) -> Instrument | None:
        """Give one."""
        return self.rows.get(symbol)

    def all(self) -> tuple[Instrument, ...]:
        """Give all, by symbol."""
        return tuple(sorted(self.rows, key=lambda instrument: instrument.symbol))


class MemoryCalendar:
    """The broker's answers about trading days."""

    def __init__(self) -> None:
        self.rows: Table[date, tuple[date, bool]] = Table()

    def put(self, days: Mapping[date, bool], *, at: datetime) -> None:  # noqa: ARG002 - kept in the database only
        """Write or replace."""
        for day, is_open in days.items():
            self.rows.put(day, (day, is_open))

    def all(self) -> dict[date, bool]:
        """Give all answers by day."""
        return dict(sorted(self.rows))
