"""This is `krx-daily` in whole won, day by day in plain Python, for peers that fill whatever they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bench.peers.works import (
    CASH,
    CLOSE,
    OPEN,
    PLACES,
    SHARED_CASH,
    SHARES,
    Flags,
    Integers,
    Work,
)

TWENTIETH: Final = 20
"""Of the equity at the close that decides: what an entry of C may cost."""
NEVER: Final = 2**62

type Fill = tuple[int, int, int]
"""Symbol, shares (below zero when sold) and price."""


def commission(value: int) -> int:
    """Give what either side pays."""
    return value * 140_527 // 1_000_000_000


def tax(value: int) -> int:
    """Give what a seller pays besides."""
    return value * 2 // 1_000


def charges(quantity: float, price: float) -> int:
    """Give both; who sells has a quantity below zero."""
    value = round(abs(quantity) * price)
    return commission(value) + (tax(value) if quantity < 0 else 0)


def buyable(funds: int, price: int) -> int:
    """Give the most shares whose value and commission the funds pay for."""
    quantity = funds // price
    while quantity and quantity * price + commission(quantity * price) > funds:
        quantity -= 1
    return quantity


def levels(entry: int) -> tuple[int, int]:
    """Give stop and target of an entry."""
    return entry * 95 // 100, -(-entry * 110 // 100)


def cash_of(work: Work) -> int:
    """Give what an account begins with."""
    if work.is_plain:
        return CASH * 100
    return SHARED_CASH if work.variant == "C" else CASH


class Account:
    """What one cash holds and waits for: told bar after bar, it says what fills, and counts on that it did."""

    def __init__(self, bars: Integers, entries: Flags, exits: Flags, work: Work) -> None:
        """Begin with nothing but cash; all is as (day, symbol), `bars` with a figure before."""
        self._bars, self._exits, self._work = bars, exits, work
        self._entries: dict[int, list[int]] = {}
        for day, symbol in np.argwhere(entries).tolist():
            self._entries.setdefault(day, []).append(symbol)
        self.cash = cash_of(work)
        self._held: dict[int, tuple[int, int, int]] = {}  # shares, stop and target
        self._wanted: list[int] = []
        self._budget = NEVER

    def worth(self, day: int) -> int:
        """Give the cash and what is held at a close."""
        held = (n * int(self._bars[CLOSE, day, k]) for k, (n, _, _) in self._held.items())
        return self.cash + sum(held)

    def fills(self, day: int) -> list[Fill]:
        """Give what fills on a bar in its order, and decide at its close for the next."""
        wanted = self._entries.get(day)
        if not (wanted or self._wanted or self._held):
            return []
        found = [*self._left(day), *self._entered(day), *self._reached(day)]
        self._wanted = [k for k in wanted or () if k not in self._held]
        if self._wanted and self._work.variant == "C":
            self._budget = self.worth(day) // TWENTIETH
        return found

    def _left(self, day: int) -> Iterator[Fill]:
        for k in [k for k in self._held if self._exits[day - 1, k]]:
            yield self._sell(k, int(self._bars[OPEN, day, k]))

    def _entered(self, day: int) -> Iterator[Fill]:
        places = PLACES if self._work.variant == "C" else len(self._bars[0, 0])
        for k in self._wanted:
            price = int(self._bars[OPEN, day, k])
            quantity = self._quantity(price)
            if quantity and len(self._held) < places:
                self._held[k] = (
                    quantity,
                    *(levels(price) if not self._work.is_plain else (0, NEVER)),
                )
                self.cash -= quantity * price + self._charges(quantity, price)
                yield k, quantity, price

    def _quantity(self, price: int) -> int:
        return SHARES if self._work.is_plain else buyable(min(self.cash, self._budget), price)

    def _reached(self, day: int) -> Iterator[Fill]:
        for k, (_, stop, target) in list(self._held.items()):
            opening, high, low = self._bars[OPEN:CLOSE, day, k].tolist()
            if opening <= stop or opening >= target:
                yield self._sell(k, opening)
            elif low <= stop:
                yield self._sell(k, stop)
            elif high >= target:
                yield self._sell(k, target)

    def _sell(self, k: int, price: int) -> Fill:
        quantity, _, _ = self._held.pop(k)
        self.cash += quantity * price - self._charges(-quantity, price)
        return k, -quantity, price

    def _charges(self, quantity: int, price: int) -> int:
        return 0 if self._work.is_plain else charges(quantity, price)
