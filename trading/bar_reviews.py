"""This is the look at price history before it is stored: what cannot be, what is missing, what was re-scaled.

Real Korean data have known faults. A halted day comes as a row of zeros with the last close, as a flat row
without volume, or as no row; a source repeats yesterday under today's date, leaves out a session or sends it
twice; adjusted prices are off by one won after rounding; history is re-scaled after a split, with some
vendors without its volumes. Nothing is repaired here: a bar is taken as it is or refused with its fault, and
a day without a bar is named as a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from trading.bar_faults import Fault, fault_when_read
from trading.bars import Bar, BarGap, Interval
from trading.instruments import Instrument, Symbol
from trading.krx import price_limits, tick_size
from trading.sessions import TradingCalendar, seoul_date, session_of

NO_ROW = "NO_ROW"
"""The reason of a gap where the source answered and had no bar: an unmarked halt, or a hole of its own."""


@dataclass(frozen=True, slots=True)
class RefusedBar:
    """A bar that is not stored, and why."""

    bar: Bar
    fault: Fault


@dataclass(frozen=True, slots=True)
class Readjustment:
    """History was re-scaled since it was stored: read all of it again. New figures divided by old ones.

    After a split `price * volume` is about 1. `volume` is 1 where a vendor scales prices alone, as after a
    rights issue: then volumes of before and after are not comparable.
    """

    since: date
    price: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class BarReview:
    """What may be stored, and all that is wrong with the rest. `jumps` are taken, but no trade explains them."""

    accepted: tuple[Bar, ...]
    refused: tuple[RefusedBar, ...]
    gaps: tuple[BarGap, ...]
    jumps: tuple[Bar, ...]
    readjustment: Readjustment | None

    @property
    def is_readjusted(self) -> bool:
        """Whether what is stored no longer fits what the source says."""
        return self.readjustment is not None


def review_bars(
    symbol: Symbol,
    bars: Sequence[Bar],
    calendar: TradingCalendar,
    *,
    first: date,
    last: date,
    at: datetime,
    stored: Sequence[Bar] = (),
    instrument: Instrument | None = None,
) -> BarReview:
    """Judge what a source answered for `symbol` from `first` to `last` when asked at `at`.

    A daily bar read on its own day is marked provisional: its volume still grows after the close. `stored`
    are bars of the same span that we hold; they tell of re-scaling and close gaps. `instrument` exempts from
    the jump check what has no price limits, and a halted one from gaps at the end.
    """
    instrument = instrument or Instrument(symbol, symbol)
    refused: list[RefusedBar] = []
    accepted: list[Bar] = []
    previous = earlier = _last_before(stored, bars)
    for bar, fault in _distinct(bars):
        verdict = fault or fault_when_read(bar, symbol, calendar, at=at) or _echo(bar, previous)
        if verdict:
            refused.append(RefusedBar(bar, verdict))
        else:
            accepted.append(_marked(bar, at))
            previous = bar
    wanted = _finished_days(calendar, first, last, instrument, at=at)
    return BarReview(
        accepted=tuple(accepted),
        refused=tuple(refused),
        gaps=tuple(_gaps(instrument, wanted, accepted, refused, stored)),
        jumps=tuple(find_jumps([earlier, *accepted] if earlier else accepted, instrument)),
        readjustment=find_readjustment(stored, accepted),
    )


def find_jumps(bars: Sequence[Bar], instrument: Instrument) -> Iterator[Bar]:
    """Find traded bars beyond the price limits around the close before: a split not adjusted, or bad data.

    The listing day and liquidation trading have no limits. Adjusted prices get one percent of tolerance.
    """
    if instrument.is_liquidation:
        return
    for before, bar in pairwise(bars):
        if bar.is_halted or bar.trading_day == instrument.listed_on:
            continue
        if not _is_within_limits(before.close, bar, instrument):
            yield bar


def find_readjustment(stored: Sequence[Bar], read: Sequence[Bar]) -> Readjustment | None:
    """Tell whether closes that were final have changed by more than rounding, for the same source.

    A final close never changes by itself: one that did was re-scaled, with every bar before the event.
    """
    ours = {(bar.interval, bar.at, bar.source): bar for bar in stored if not bar.is_provisional}
    for new in sorted(read, key=lambda bar: bar.at):
        old = ours.get((new.interval, new.at, new.source))
        if old and abs(new.close - old.close) > 1:
            volume = Decimal(new.volume) / old.volume if old.volume else Decimal(1)
            return Readjustment(new.trading_day, Decimal(new.close) / old.close, volume)
    return None


def _distinct(bars: Sequence[Bar]) -> Iterator[tuple[Bar, Fault | None]]:
    """Give each bar once, oldest first; of bars that contradict each other all are faulty."""
    together: defaultdict[tuple[Symbol, Interval, str, datetime], list[Bar]] = defaultdict(list)
    for bar in bars:
        together[bar.symbol, bar.interval, bar.source, bar.at].append(bar)
    for same in sorted(together.values(), key=lambda same: same[0].at):
        if all(bar == same[0] for bar in same):
            kind = (bars[0].interval, bars[0].source)
            is_stranger = (same[0].interval, same[0].source) != kind
            yield same[0], Fault.STRANGER if is_stranger else None
        else:
            yield from ((bar, Fault.CONFLICTING) for bar in same)


def _marked(bar: Bar, at: datetime) -> Bar:
    is_early = bar.interval is Interval.DAY and bar.trading_day >= seoul_date(at)
    return replace(bar, is_provisional=bar.is_provisional or is_early)


def _echo(bar: Bar, previous: Bar | None) -> Fault | None:
    """Notice a bar that says what the one before it said; a flat one may do so by itself."""
    if previous is None or bar.interval is not Interval.DAY or bar.high == bar.low:
        return None
    return Fault.REPEATED if _figures(bar) == _figures(previous) else None


def _figures(bar: Bar) -> tuple[int, ...]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def _last_before(stored: Sequence[Bar], bars: Sequence[Bar]) -> Bar | None:
    start = min((bar.at for bar in bars), default=None)
    earlier = [bar for bar in stored if start and bar.at < start]
    return max(earlier, key=lambda bar: bar.at, default=None)


def _finished_days(
    calendar: TradingCalendar, first: date, last: date, instrument: Instrument, *, at: datetime
) -> tuple[date, ...]:
    start = max(first, instrument.listed_on or first)
    days = calendar.trading_days(start, last)
    return tuple(day for day in days if session_of(day).closes_at <= at)


def _gaps(
    instrument: Instrument,
    wanted: Sequence[date],
    accepted: Sequence[Bar],
    refused: Sequence[RefusedBar],
    stored: Sequence[Bar],
) -> Iterator[BarGap]:
    if any(bar.interval is Interval.MINUTE for bar in accepted):
        return  # a minute without a trade has no bar
    known = {bar.trading_day for bar in (*stored, *accepted)}
    faults = {refusal.bar.trading_day: refusal.fault for refusal in refused}
    newest = max(known, default=date.min)
    for day in wanted:
        is_halted_since = instrument.is_halted and day > newest and day not in faults
        if day not in known and not is_halted_since:
            yield BarGap(instrument.symbol, day, faults.get(day, NO_ROW))


def _is_within_limits(base: int, bar: Bar, instrument: Instrument) -> bool:
    day, market, kind = bar.trading_day, instrument.market, instrument.kind
    limits = price_limits(base, on=day, market=market, kind=kind)
    tick = tick_size(base, on=day, market=market, kind=kind)
    slack = base // 100 + 1 if bar.is_adjusted else tick
    return limits.lower - slack <= bar.low and bar.high <= limits.upper + slack
