"""This is how adjusted prices come from those that were traded: raw price times a factor, which changes on few days.

A broker shows both series and no factors. Every price of a day tells within which bounds its factor lies, because
what is shown is rounded; the days that one factor explains belong together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final

from trading.bars import Bar

ROUNDING: Final = 3
"""Won by which an adjusted price may lie beside raw price times factor: sources round anew at every event."""
_ONE: Final = Fraction(1)
_HALF: Final = Fraction(1, 2)
_PRICES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Factor:
    """What raw prices are multiplied with from the day `since` on, until the next factor's day."""

    since: date
    ratio: Fraction


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The factors of one symbol, oldest first; each change of any of them is another version."""

    version: int
    factors: tuple[Factor, ...]

    def ratio_on(self, day: date) -> Fraction:
        """Give the factor of a day, that of the first one before it."""
        known = [factor.ratio for factor in self.factors if factor.since <= day]
        return known[-1] if known else self.factors[0].ratio if self.factors else _ONE

    def adjust(self, bar: Bar) -> Bar:
        """Give the adjusted bar of a raw one, each price rounded to a won; volume and value stay what was traded."""
        ratio = self.ratio_on(bar.trading_day)
        opened, high, low, close = (
            int(price * ratio + _HALF) for price in (bar.open, bar.high, bar.low, bar.close)
        )
        return replace(bar, is_adjusted=True, open=opened, high=high, low=low, close=close)


type _Bounds = tuple[Fraction, Fraction]


def explains(adjustment: Adjustment, raw: Sequence[Bar], adjusted: Sequence[Bar]) -> bool:
    """Tell whether the factors of every day are still within the bounds that its prices set."""
    told = _told(raw, adjusted)
    return all(low <= adjustment.ratio_on(day) <= high for day, (low, high) in told)


def find_factors(raw: Sequence[Bar], adjusted: Sequence[Bar]) -> tuple[Factor, ...]:
    """Find the fewest factors, oldest first, by which the prices of `raw` become those of `adjusted`, but for rounding.

    Of the ratios that a span of days allows the simplest is taken, 1 before any other: 1/50 after a split in fifty.
    Days that only one series has tell nothing.
    """
    found: list[Factor] = []
    bounds: _Bounds | None = None
    since = date.max
    for day, told in reversed(list(_told(raw, adjusted))):
        both = told if bounds is None else (max(bounds[0], told[0]), min(bounds[1], told[1]))
        if bounds is not None and both[0] > both[1]:
            found.append(Factor(since, _simplest(*bounds)))
            both = told
        bounds, since = both, day
    if bounds is not None:
        found.append(Factor(since, _simplest(*bounds)))
    return tuple(reversed(found))


def _told(raw: Sequence[Bar], adjusted: Sequence[Bar]) -> Iterator[tuple[date, _Bounds]]:
    """Give for each day between which factors its prices put it; the close alone where they contradict each other."""
    others = {bar.trading_day: bar for bar in adjusted}
    for bar in sorted(raw, key=lambda bar: bar.trading_day):
        if other := others.get(bar.trading_day):
            bounds = _bounds(bar, other, _PRICES)
            if bounds and bounds[0] > bounds[1]:
                bounds = _bounds(bar, other, ("close",))
            if bounds:
                yield bar.trading_day, bounds


def _bounds(bar: Bar, other: Bar, names: Sequence[str]) -> _Bounds | None:
    pairs = [(getattr(bar, name), getattr(other, name)) for name in names]
    priced = [(before, after) for before, after in pairs if before > 0 and after > 0]
    if not priced:
        return None
    low = max(Fraction(after - ROUNDING, before) for before, after in priced)
    return low, min(Fraction(after + ROUNDING, before) for before, after in priced)


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """Give the ratio of the smallest numbers from `low` to `high`, 1 where it is among them."""
    if low <= 1 <= high:
        return _ONE
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    whole -= 1
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))
