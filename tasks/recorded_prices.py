"""This is prices as they stood on a recorded day: a split or a rights issue since then has changed what is stored of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from adapters.stores import UnitOfWork
from trading.adjustments import ROUNDING, Adjustment, Factor
from trading.bars import Bar, Interval
from trading.executions import Execution
from trading.instruments import Symbol

_HALF: Final = Fraction(1, 2)


def bars_as_of(work: UnitOfWork, symbol: Symbol, bars: Sequence[Bar], day: date) -> tuple[Bar, ...]:
    """Give stored daily bars on the scale of `day`, made of the prices that were traded."""
    known = work.adjustments.get(symbol)
    now = known.ratio_on(day) if known else Fraction(1)
    if known is None or now == 1 or not bars:
        return tuple(bars)
    then = Adjustment(known.version, tuple(Factor(f.since, f.ratio / now) for f in known.factors))
    back = Adjustment(known.version, (Factor(date.min, 1 / now),))
    span = {"first": bars[0].trading_day, "last": bars[-1].trading_day}
    raw = {bar.trading_day: bar for bar in work.adjustments.raw(symbol, **span)}
    return tuple(
        _priced(bar, then.adjust(raw[bar.trading_day]))
        if bar.trading_day in raw
        else back.adjust(bar)
        for bar in bars
    )


def fills_as_of(work: UnitOfWork, fills: Iterable[Execution], day: date) -> Iterator[Execution]:
    """Give fills as if they had been paid on the scale of `day`, as `tasks.scales` did then."""
    scales: dict[tuple[Symbol, date], Fraction] = {}
    for fill in fills:
        key = (fill.symbol, fill.trading_day)
        if key not in scales:
            scales[key] = scale_as_of(work, *key, day)
        scale = scales[key]
        yield fill if scale == 1 else replace(fill, value=max(1, int(fill.value * scale + _HALF)))


def scale_as_of(work: UnitOfWork, symbol: Symbol, traded_on: date, day: date) -> Fraction:
    """Give what a price that was traded is multiplied with on a later day, 1 where that is not known."""
    span = {"first": traded_on, "last": traded_on}
    raw = work.adjustments.raw(symbol, **span)
    told = bars_as_of(work, symbol, work.bars.between(symbol, Interval.DAY, **span), day)
    if not raw or not told or not raw[-1].close:
        return Fraction(1)
    after, before = told[-1].close, raw[-1].close
    return Fraction(1) if abs(after - before) <= ROUNDING else Fraction(after, before)


def _priced(bar: Bar, other: Bar) -> Bar:
    """Give a bar with the prices of another one."""
    return replace(bar, open=other.open, high=other.high, low=other.low, close=other.close)
