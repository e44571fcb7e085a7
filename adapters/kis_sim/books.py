"""This is the order book around the last print: ten levels a side, a function of the moment alone."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from adapters.kis_sim.tapes import Grid
from trading.krx import PriceLimits
from trading.orders import Side
from trading.ticks import BookLevel

DEPTH: Final = 10
_TYPICAL_PART: Final = 2_000
"""A level holds about this part of the day's usual volume."""


@dataclass(frozen=True, slots=True)
class Book:
    """Asks and bids, best first; a side is empty where the price stands at its limit."""

    asks: tuple[BookLevel, ...]
    bids: tuple[BookLevel, ...]

    def against(self, side: Side) -> tuple[BookLevel, ...]:
        """Return what an arriving order of `side` would trade with."""
        return self.asks if side is Side.BUY else self.bids

    def without(self, taken: dict[int, int]) -> Book:
        """Return the book after `taken` shares by price have been traded away."""
        return Book(_less(self.asks, taken), _less(self.bids, taken)) if taken else self


def _less(levels: tuple[BookLevel, ...], taken: dict[int, int]) -> tuple[BookLevel, ...]:
    left = (BookLevel(each.price, each.quantity - taken.get(each.price, 0)) for each in levels)
    return tuple(level for level in left if level.quantity > 0)


def draw_book(
    last: int,
    *,
    is_ask: bool,
    grid: Grid,
    limits: PriceLimits,
    usual_volume: int,
    random: Random,
) -> Book:
    """Draw the levels around `last`, which is the best ask or the best bid; at a limit it can be but one.

    `usual_volume` is an earlier day's, so that the book tells nothing of what is to come.
    """
    if last >= limits.upper or (last > limits.lower and not is_ask):
        best_bid = last - last % grid(last)
        best_ask = _above(last, grid)
    else:
        best_ask = -(-last // grid(last)) * grid(last)
        best_bid = _below(best_ask, grid)
    asks = _ladder(best_ask, limits, lambda price: _above(price, grid))
    bids = _ladder(best_bid, limits, lambda price: _below(price, grid))
    size = max(1, usual_volume // _TYPICAL_PART)
    return Book(
        tuple(BookLevel(price, size * random.randint(1, 4)) for price in asks),
        tuple(BookLevel(price, size * random.randint(1, 4)) for price in bids),
    )


def _ladder(first: int, limits: PriceLimits, step: Grid) -> list[int]:
    prices = [first]
    while len(prices) < DEPTH:
        prices.append(step(prices[-1]))
    return [price for price in prices if price > 0 and limits.contains(price)]


def _above(price: int, grid: Grid) -> int:
    return price - price % grid(price) + grid(price)


def _below(price: int, grid: Grid) -> int:
    """Return the next price down; at the foot of a band that is one tick of the band below."""
    under = price - 1
    return under - under % grid(under) if under > 0 else 0
