"""This is the fast engine's curve: what fills make of cash and holdings day by day, compiled and kept on disk.

It calls no kernel of another file, and none of another file calls it (see `backtest.kernels`).
"""

from __future__ import annotations

from backtest.compiling import Whole, kernel
from backtest.kernels import CLOSE, COMMISSION, DAY, END, NONE, PRICE, ROW, SHARES, START, TAX
from backtest.tables import Figures
from strategies.base import Flags, Integers


@kernel
def note_days(bars: Figures, spans: Integers, first: Whole, has_bar: Flags) -> None:
    """Note every day that has a bar, counted from `first`, the earliest of them."""
    for k in range(len(spans)):
        for row in range(spans[k, START], spans[k, END]):
            has_bar[bars[DAY, row] - first] = True


@kernel
def book_fills(
    bars: Figures,
    spans: Integers,
    fills: Integers,
    days: tuple[Whole, Integers],
    curve: tuple[Integers, Integers],
) -> None:
    """Add up what fills change of the cash, and what is held at the last close, both by the day's place in `curve`.

    `fills` rise by row, so that those of one symbol are together. `days` are the first and the place of each from it on.
    """
    first, places = days
    changes, invested = curve
    k = held = NONE
    for j in range(len(fills)):
        row = fills[j, ROW]
        while row >= spans[k, END]:
            k, held = k + 1, NONE
        charges = fills[j, COMMISSION] + fills[j, TAX]
        changes[places[bars[DAY, row] - first]] -= fills[j, SHARES] * fills[j, PRICE] + charges
        held += fills[j, SHARES]
        until = spans[k, END]
        if j + 1 < len(fills):
            until = min(until, fills[j + 1, ROW])
        for each in range(row, until if held else row):
            since, before = places[bars[DAY, each] - first], len(invested)
            if each + 1 < spans[k, END]:
                before = places[bars[DAY, each + 1] - first]
            for place in range(since, before):
                invested[place] += held * bars[CLOSE, each]
