"""This is minute bars made of prints: each share counted once, what was lost is known and mended from history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.sessions import Session
from trading.ticks import TradePrint

SOURCE: Final = "stream"
LATENESS: Final = timedelta(seconds=30)
"""How long after its minute a print may come without the history knowing better."""
SETTLES: Final = timedelta(seconds=2)
"""How long after its end a minute may still get its last prints before its bar is stored."""
_MINUTE: Final = timedelta(minutes=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def minute_closed(at: datetime) -> datetime:
    """Give the end of the minute whose bar was stored last at a moment."""
    return (at - SETTLES).replace(second=0, microsecond=0)


class Arrival(StrEnum):
    """How a print came, by the day's volume that it carries."""

    IN_ORDER = "IN_ORDER"
    LATE = "LATE"
    """It fills a hole: newer prints came before it."""
    CONTRADICTORY = "CONTRADICTORY"
    """It is newer than what came before and tells less: one of them tells a wrong volume, neither a wrong price."""
    REPEATED = "REPEATED"
    """Its shares are counted already: sent again, or the expected price of an auction that still collects."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a minute bar that the broker's history tells otherwise."""

    symbol: Symbol
    at: datetime
    field: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Shares that traded and did not come, by the day's volume, and between which prints that was."""

    lower: int
    upper: int
    first_at: datetime
    last_at: datetime

    def touches(self, over_at: datetime) -> bool:
        """Tell whether some of it may belong to the minute that is over then."""
        return self.first_at < over_at and over_at - _MINUTE <= self.last_at

    def without(self, lower: int, upper: int) -> Iterator[Hole]:
        """Give what is left after these shares came."""
        if self.lower < lower:
            yield Hole(self.lower, lower, self.first_at, self.last_at)
        if upper < self.upper:
            yield Hole(upper, self.upper, self.first_at, self.last_at)


@dataclass(slots=True)
class _Minute:
    """One minute while it fills; `first` and `last` are the day's volume at its outermost prints."""

    first: int
    last: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0

    def add(self, price: int, quantity: int, position: int) -> None:
        """Count one print wherever in the minute it belongs."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if position >= self.last:
            self.last, self.close = position, price
        elif position < self.first:
            self.first, self.open = position, price
        self.volume += quantity


@dataclass(slots=True)
class _Line:
    """One symbol's day so far: `position` is its volume at the newest print, `forming` that print's minute."""

    at: datetime
    position: int = 0
    forming: _Minute | None = None
    name: datetime = _NEVER
    starts_at: datetime = _NEVER
    ends_at: datetime = _NEVER
    minutes: dict[datetime, _Minute] = field(default_factory=dict)
    untold: set[datetime] = field(default_factory=set)
    """Minutes that were not given as bars yet, or have changed since."""
    holes: list[Hole] = field(default_factory=list)
    known_until: datetime = _NEVER
    """Whatever traded before is counted, as the history tells it."""

    def hole_with(self, lower: int, upper: int) -> Hole | None:
        """Give the hole that these shares are missing from."""
        return next((h for h in self.holes if h.lower <= lower and upper <= h.upper), None)


class MinuteBars:
    """The minute bars of one session as its prints make them.

    A bar is named after its end, as the broker's history is read (09:01 to 15:20, then 15:30 with the closing
    auction). A minute without a print has no bar: an interruption (VI) leaves a gap, and its auction falls into
    the minute in which it was made. The day's volume in each print tells what was lost: a bar that some of it
    may belong to is provisional until the print comes late or the history mends it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: dict[Symbol, _Line] = {}

    def add(self, trade: TradePrint) -> Arrival:
        """Count one print."""
        line = self._lines.get(trade.symbol)
        if line is None:
            line = self._lines[trade.symbol] = self._line()
        at, upper = trade.at, trade.cumulative_volume
        lower = upper - trade.quantity
        if lower < line.position:
            if at <= line.at or upper >= line.position or trade.is_auction:
                return self._add_late(line, trade, lower)
            self._turn_back(line, lower, at)
            self.add(trade)
            return Arrival.CONTRADICTORY
        if lower > line.position and at >= line.known_until:
            self._miss(line, Hole(line.position, lower, line.at, at))
        line.position, line.at = upper, at
        if at < line.known_until:
            return Arrival.REPEATED
        if not line.starts_at <= at < line.ends_at:
            self._move(line, trade)
        if line.forming is not None:
            line.forming.add(trade.price, trade.quantity, upper)
            line.untold.add(line.name)  # again, when it came after its minute had been given
        return Arrival.IN_ORDER

    def closed(self, until: datetime) -> tuple[Bar, ...]:
        """Give the bars of minutes that were over by `until` and are new or have changed, oldest first."""
        found = [
            self._bar(symbol, line, ends_at)
            for symbol, line in self._lines.items()
            for ends_at in line.untold
            if self._over_at(ends_at) <= until
        ]
        for bar in found:
            self._lines[bar.symbol].untold.remove(bar.at)
        return tuple(sorted(found, key=lambda bar: (bar.at, bar.symbol)))

    def holes(self) -> dict[Symbol, tuple[datetime, datetime]]:
        """Give the symbols of which something is missing, and between when and when that may have traded."""
        return {
            symbol: (min(h.first_at for h in line.holes), max(h.last_at for h in line.holes))
            for symbol, line in self._lines.items()
            if line.holes
        }

    def mend(
        self, symbol: Symbol, history: Sequence[Bar], *, at: datetime
    ) -> tuple[Difference, ...]:
        """Take over the broker's bars as they were `at`; give where they differ from bars of ours that were whole.

        What ended less than `LATENESS` before stays as it is, for its prints may be on their way. Holes that the
        rest reaches beyond are closed, and prints that come later still count no more.
        """
        line = self._lines.setdefault(symbol, self._line())
        settled = [bar for bar in history if self._over_at(bar.at) <= at - LATENESS]
        different = [each for bar in settled for each in self._compare(line, bar)]
        for bar in settled:
            line.minutes[bar.at] = _taken_over(bar, line.minutes.get(bar.at))
            line.untold.discard(bar.at)
            line.known_until = max(line.known_until, self._over_at(bar.at))
        line.holes = [hole for hole in line.holes if hole.last_at >= line.known_until]
        return tuple(different)

    def compare(self, symbol: Symbol, history: Sequence[Bar]) -> tuple[Difference, ...]:
        """Give where the broker's bars differ from ours; a bar that only one side has differs in its volume."""
        line = self._lines.get(symbol) or self._line()
        known = {bar.at: bar for bar in history}
        return tuple(
            difference
            for at in sorted(known.keys() | line.minutes.keys())
            for difference in _differences(symbol, at, line.minutes.get(at), known.get(at))
        )

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols that have traded."""
        return tuple(self._lines)

    def _line(self) -> _Line:
        return _Line(at=self._session.opens_at)

    def _add_late(self, line: _Line, trade: TradePrint, lower: int) -> Arrival:
        upper = trade.cumulative_volume
        hole = line.hole_with(lower, upper)
        if hole is None:
            return Arrival.REPEATED
        line.holes.remove(hole)
        for left in hole.without(lower, upper):
            self._miss(line, left)
        ends_at = self._end_of(trade.at)
        if ends_at is not None and trade.at >= line.known_until:
            minute = line.minutes.setdefault(ends_at, _of(trade))
            minute.add(trade.price, trade.quantity, upper)
            line.untold.add(ends_at)
        line.untold.update(at for at in line.minutes if hole.touches(self._over_at(at)))
        return Arrival.LATE if trade.at <= line.at else Arrival.CONTRADICTORY

    def _turn_back(self, line: _Line, position: int, at: datetime) -> None:
        """Go on from a smaller volume, or nothing would count until the day's has reached the wrong one.

        What is missing until then has no place in the volume any more; the history alone can tell it.
        """
        line.holes = [replace(hole, upper=min(hole.upper, position)) for hole in line.holes]
        line.position = position
        if at >= line.known_until:
            self._miss(line, Hole(position, position, line.at, at))

    def _miss(self, line: _Line, hole: Hole) -> None:
        """Remember what did not come; bars that it may belong to have changed by that."""
        line.holes.append(hole)
        line.untold.update(at for at in line.minutes if hole.touches(self._over_at(at)))

    def _move(self, line: _Line, trade: TradePrint) -> None:
        """Go on to the minute of a print; it has no bar outside the session."""
        ends_at = self._end_of(trade.at)
        line.forming = None
        if ends_at is not None:
            line.ends_at = self._over_at(ends_at)
            line.starts_at = line.ends_at - _MINUTE
            line.name = ends_at
            line.forming = line.minutes.setdefault(ends_at, _of(trade))

    def _end_of(self, at: datetime) -> datetime | None:
        """Name the minute in which something traded, None where no bar is made."""
        session, start = self._session, at.replace(second=0, microsecond=0)
        if start == session.closes_at:
            return start
        is_continuous = session.opens_at <= start < session.closing_auction_at
        return start + _MINUTE if is_continuous else None

    def _over_at(self, ends_at: datetime) -> datetime:
        """Tell when nothing more can come: the closing auction is made within a minute after the close."""
        return ends_at + _MINUTE if ends_at == self._session.closes_at else ends_at

    def _is_whole(self, line: _Line, at: datetime) -> bool:
        over_at = self._over_at(at)
        return not any(hole.touches(over_at) for hole in line.holes)

    def _bar(self, symbol: Symbol, line: _Line, at: datetime) -> Bar:
        minute = line.minutes[at]
        return Bar(
            symbol=symbol,
            interval=Interval.MINUTE,
            trading_day=self._session.trading_day,
            at=at,
            open=minute.open,
            high=minute.high,
            low=minute.low,
            close=minute.close,
            volume=minute.volume,
            source=SOURCE,
            is_provisional=not self._is_whole(line, at),
            is_adjusted=False,
        )

    def _compare(self, line: _Line, bar: Bar) -> Iterator[Difference]:
        ours = line.minutes.get(bar.at)
        if ours is not None and self._is_whole(line, bar.at):
            yield from _differences(bar.symbol, bar.at, ours, bar)


def _of(trade: TradePrint) -> _Minute:
    """Begin a minute with its first print, which is still to be counted."""
    price, position = trade.price, trade.cumulative_volume
    return _Minute(position, position, price, price, price, price)


def _taken_over(bar: Bar, ours: _Minute | None) -> _Minute:
    first, last = (ours.first, ours.last) if ours else (0, 0)
    return _Minute(first, last, bar.open, bar.high, bar.low, bar.close, bar.volume)


def _differences(
    symbol: Symbol, at: datetime, ours: _Minute | None, theirs: Bar | None
) -> Iterator[Difference]:
    if ours is None or theirs is None:
        volumes = ours.volume if ours else 0, theirs.volume if theirs else 0
        yield Difference(symbol, at, "volume", *volumes)
        return
    for name in ("open", "high", "low", "close", "volume"):
        mine, yours = getattr(ours, name), getattr(theirs, name)
        if mine != yours:
            yield Difference(symbol, at, name, mine, yours)
