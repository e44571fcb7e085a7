"""This is one symbol's trading day, print by print, drawn from its daily bar or from its minute bars.

A drawn day starts with the opening auction at the open, touches the high and the low once each on its way and
ends with the closing auction at the close; the prints' volumes add up to the day's. It is drawn in integers
from a seed of its own, so it is the same whoever looks and whenever. Only `Market` may look beyond `now`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise, repeat
from random import Random
from typing import Final

from adapters.kis_sim.histories import DayBar, MinuteBar
from adapters.kis_sim.hours import Hours

type Grid = Callable[[int], int]
"""The tick in won at a price."""
type _Trade = tuple[datetime, int, int, bool]
"""When, won, shares, whether in an auction."""

SPACING: Final = 5
"""Seconds: one print falls into each such slot of continuous trading."""

_OPENING_SHARE: Final = 4
_CLOSING_SHARE: Final = 9
"""Percent of the day's volume in the auctions; 9.5 is the median of the closing bar in real minute data."""
_NOT_IN_AUCTION: Final = repeat(object=False)
_WITHIN_A_MINUTE: Final = timedelta(seconds=15)
_WILDNESS: Final = 8
"""How far a path strays from its straight line: this part of the day's range."""


@dataclass(frozen=True, slots=True)
class Print:
    """One trade: won, shares, and who came to whom."""

    at: datetime
    price: int
    volume: int
    is_auction: bool = False
    is_buy: bool = True


@dataclass(frozen=True, slots=True)
class DaySoFar:
    """What a day's trading has come to at some moment."""

    index: int
    last: Print
    first: Print
    highest: Print
    lowest: Print
    volume: int
    value: int
    bought: int
    buys: int


class Tape:
    """The prints of one day in order, with their running totals."""

    def __init__(self, drawn: Iterable[Print]) -> None:
        prints = tuple(drawn)
        self.prints = prints
        self._times = [each.at for each in prints]
        self._volumes = list(accumulate(each.volume for each in prints))
        self._values = list(accumulate(each.price * each.volume for each in prints))
        self._bought = list(accumulate(each.volume * each.is_buy for each in prints))
        self._buys = list(accumulate(int(each.is_buy) for each in prints))
        self._highest = list(accumulate(prints, _higher))
        self._lowest = list(accumulate(prints, _lower))

    def count_until(self, at: datetime) -> int:
        """Return how many prints were made up to and with `at`."""
        return bisect_right(self._times, at)

    def until(self, at: datetime) -> tuple[Print, ...]:
        """Return the prints up to and with `at`."""
        return self.prints[: self.count_until(at)]

    def between(self, after: datetime, until: datetime) -> tuple[Print, ...]:
        """Return the prints later than `after`, up to and with `until`."""
        return self.prints[self.count_until(after) : self.count_until(until)]

    def so_far(self, at: datetime) -> DaySoFar | None:
        """Return the day at `at`, None before its first print."""
        index = self.count_until(at) - 1
        if index < 0:
            return None
        return DaySoFar(
            index,
            self.prints[index],
            self.prints[0],
            self._highest[index],
            self._lowest[index],
            self._volumes[index],
            self._values[index],
            self._bought[index],
            self._buys[index],
        )


def _higher(one: Print, other: Print) -> Print:
    return other if other.price > one.price else one


def _lower(one: Print, other: Print) -> Print:
    return other if other.price < one.price else one


def draw_tape(
    bar: DayBar, hours: Hours, grid: Grid, random: Random, *, spacing: int = SPACING
) -> Tape:
    """Draw a day that ends as `bar` says. Prices as given are kept even where they lie off the grid."""
    if not bar.is_traded:
        return Tape(())
    low, high = min(bar.low, bar.open, bar.close), max(bar.high, bar.open, bar.close)
    opening = max(1, bar.volume * _OPENING_SHARE // 100)
    closing = max(1, bar.volume * _CLOSING_SHARE // 100)
    between = bar.volume - opening - closing
    times = _times(hours, between, random, spacing)
    if len(times) < 2:  # noqa: PLR2004 - too thin a day to draw: the prices that must be seen, no more
        return Tape(_prints(_thin(bar, hours, low=low, high=high)))
    prices = _Path(low, high, grid, random).draw(bar.open, bar.close, len(times))
    volumes = _portions(between, len(times), random)
    return Tape(
        _prints(
            (
                (hours.opens_at, bar.open, opening, True),
                *zip(times, prices, volumes, _NOT_IN_AUCTION, strict=False),
                (hours.closes_at, bar.close, closing, True),
            )
        )
    )


def read_tape(bars: Sequence[MinuteBar], hours: Hours) -> Tape:
    """Play real minute bars: open, the nearer extreme, the other one, close, within each minute."""
    trades: list[_Trade] = []
    for bar in bars:
        if bar.volume < 1:
            continue
        if bar.at >= hours.closing_auction_at:
            trades.append((bar.at, bar.close, bar.volume, True))
            continue
        prices = _minute_prices(bar)
        volumes = _portions(max(bar.volume, len(prices)), len(prices), None)
        for place, (price, volume) in enumerate(zip(prices, volumes, strict=True)):
            at = bar.at + place * _WITHIN_A_MINUTE
            trades.append((at, price, volume, at == hours.opens_at))
    return Tape(_prints(trades))


def _times(hours: Hours, shares: int, random: Random, spacing: int) -> list[datetime]:
    """Spread the continuous prints over their slots; no more of them than there are shares."""
    slots = int((hours.closing_auction_at - hours.opens_at) / timedelta(seconds=spacing))
    count = min(slots, shares)
    return [
        hours.opens_at
        + timedelta(seconds=slots * place // count * spacing + 1 + _below(random, spacing - 1))
        for place in range(count)
    ]


def _thin(bar: DayBar, hours: Hours, *, low: int, high: int) -> Iterator[_Trade]:
    """Show a day of less than four shares: open, extremes that are neither open nor close, close."""
    between = [price for price in (low, high) if price not in {bar.open, bar.close}]
    yield hours.opens_at, bar.open, 1, True
    for place, price in enumerate(between, start=1):
        yield hours.opens_at + place * timedelta(minutes=1), price, 1, False
    left = bar.volume - 1 - len(between)
    if left > 0 or between or bar.close != bar.open:
        yield hours.closes_at, bar.close, max(1, left), True


class _Path:
    """A walk on the grid between a low and a high that touches both."""

    def __init__(self, low: int, high: int, grid: Grid, random: Random) -> None:
        self.low, self.high, self.grid, self.random = low, high, grid, random

    def draw(self, start: int, end: int, count: int) -> list[int]:
        """Return `count` prices on the way from `start` to `end`."""
        first, second = sorted(self.random.sample(range(count), 2))
        is_usual = self.random.randrange(4) > 0
        is_low_first = (end >= start) == is_usual
        extremes = (self.low, self.high) if is_low_first else (self.high, self.low)
        knots = [(-1, start), (first, extremes[0]), (second, extremes[1]), (count, end)]
        return [price for one, other in pairwise(knots) for price in self._leg(one, other)][:count]

    def _leg(self, one: tuple[int, int], other: tuple[int, int]) -> Iterator[int]:
        """Walk from one knot to the next: a straight line, strayed from by whole ticks, then the knot."""
        (begin, start), (end, goal) = one, other
        reach = (self.high - self.low) // self.grid(self.low) // _WILDNESS
        stray = 0
        for place in range(begin + 1, end):
            room = min(reach, place - begin, end - place)
            stray = max(-room, min(room, stray + _below(self.random, 3) - 1))
            line = start + (goal - start) * (place - begin) // (end - begin)
            yield self._on_grid(line + stray * self.grid(max(1, line)))
        yield goal

    def _on_grid(self, price: int) -> int:
        price = max(self.low, min(self.high, price))
        under = price - price % self.grid(price)
        return under if under >= self.low else min(self.high, under + self.grid(price))


def _portions(total: int, count: int, random: Random | None) -> list[int]:
    """Cut `total` shares into `count` parts of at least one, larger towards the ends of the day."""
    weights = [
        (count + abs(2 * place - count)) * (1 + _below(random, 9) if random else 1)
        for place in range(count)
    ]
    whole = sum(weights)
    parts = [1 + (total - count) * weight // whole for weight in weights]
    parts[-1] += total - sum(parts)
    return parts


def _minute_prices(bar: MinuteBar) -> list[int]:
    """Order the four prices of a minute: on the way up the low comes first."""
    between = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    prices = (bar.open, *between, bar.close)
    return [prices[0], *(price for before, price in pairwise(prices) if price != before)]


def _prints(trades: Iterable[_Trade]) -> Iterator[Print]:
    """Say who came to whom: a price above the one before it was a buyer's doing."""
    is_buy, before = True, 0
    for at, price, volume, is_auction in trades:
        if price != before:
            is_buy, before = price > before, price
        yield Print(at, price, volume, is_auction, is_buy)


def _below(random: Random, count: int) -> int:
    """Return a number from 0 up to but not including a small `count`; many times faster than randrange."""
    return int(random.random() * count)
