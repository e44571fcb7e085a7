"""This is the least that variants A to D can cost: one numba loop each, every constant in it, nothing told but cash.

It counts as `krx-daily` is written down, was made apart from the engine, and must come to the same won.
"""

from __future__ import annotations

import numpy as np

from backtest.compiling import kernel
from backtest.tables import Figures
from strategies.base import Integers

OPEN, HIGH, LOW, CLOSE, VOLUME = 1, 2, 3, 4, 5


@kernel
def each(bars: Figures, starts: Integers, fast: int, slow: int, ends: Integers) -> int:  # noqa: C901, PLR0912 - one loop, as bare as it gets
    """Trade every symbol with 10,000,000 won; write cash and shares, give the number of sales."""
    o, h, lo, c, v = bars[OPEN], bars[HIGH], bars[LOW], bars[CLOSE], bars[VOLUME]
    sales = 0
    for k in range(len(starts) - 1):
        begin = starts[k]
        f = s = w = before = held = stop = target = pending = 0
        cash = 10_000_000
        for i in range(begin, starts[k + 1]):
            if pending == 2 and held:  # noqa: PLR2004
                value = held * o[i]
                cash += value - value * 140527 // 1000000000 - value * 2 // 1000
                held = 0
                sales += 1
            elif pending == 1:
                held = cash // o[i]
                while held and held * o[i] + held * o[i] * 140527 // 1000000000 > cash:
                    held -= 1
                cash -= held * o[i] + held * o[i] * 140527 // 1000000000
                stop, target = o[i] * 95 // 100, (o[i] * 110 + 99) // 100
            pending = 0
            if held:
                price = 0
                if o[i] <= stop or o[i] >= target:
                    price = o[i]
                elif lo[i] <= stop:
                    price = stop
                elif h[i] >= target:
                    price = target
                if price:
                    value = held * price
                    cash += value - value * 140527 // 1000000000 - value * 2 // 1000
                    held = 0
                    sales += 1
            f += c[i]
            s += c[i]
            w += v[i]
            if i - begin >= fast:
                f -= c[i - fast]
            if i - begin >= slow:
                s -= c[i - slow]
            if i - begin >= 20:  # noqa: PLR2004
                w -= v[i - 20]
            gap = f * slow - s * fast
            if i - begin >= slow:
                if held == 0 and before <= 0 and gap > 0 and v[i] * 20 > w:
                    pending = 1
                elif held and before >= 0 and gap < 0:
                    pending = 2
            before = gap
        ends[k, 0], ends[k, 1] = cash, held
    return sales


@kernel
def shared(bars: Figures, days: int, fast: int, slow: int) -> int:  # noqa: C901, PLR0912, PLR0915
    """Trade all symbols with 100,000,000 won, at most 20 of 5 %; give the equity at the end. Every symbol has every day."""
    o, h, lo, c, v = bars[OPEN], bars[HIGH], bars[LOW], bars[CLOSE], bars[VOLUME]
    symbols = bars.shape[1] // days
    down = np.zeros(bars.shape[1], np.uint8)
    head = np.full(days, -1, np.int32)
    follow = np.empty(bars.shape[1] // 20 + 1, np.int32)
    who = np.empty(bars.shape[1] // 20 + 1, np.int32)
    events = 0
    for k in range(symbols - 1, -1, -1):
        f = s = w = before = 0
        for t in range(days):
            i = k * days + t
            f += c[i]
            s += c[i]
            w += v[i]
            if t >= fast:
                f -= c[i - fast]
            if t >= slow:
                s -= c[i - slow]
            if t >= 20:  # noqa: PLR2004
                w -= v[i - 20]
            gap = f * slow - s * fast
            if t >= slow:
                if before <= 0 and gap > 0 and v[i] * 20 > w:
                    who[events], follow[events], head[t] = k, head[t], events
                    events += 1
                elif before >= 0 and gap < 0:
                    down[i] = 1
            before = gap
    cash, n = 100_000_000, 0
    equity = cash
    held, shares = np.zeros(21, np.int64), np.zeros(symbols, np.int64)
    stop, target = np.zeros(symbols, np.int64), np.zeros(symbols, np.int64)
    wanted, count, budget = np.zeros(symbols, np.int64), 0, 0
    for t in range(days):
        kept = 0
        for j in range(n):
            k = held[j]
            i = k * days + t
            if down[i - 1]:
                value = shares[k] * o[i]
                cash += value - value * 140527 // 1000000000 - value * 2 // 1000
                shares[k] = 0
            else:
                held[kept] = k
                kept += 1
        n = kept
        for j in range(count):
            k = wanted[j]
            i = k * days + t
            funds = min(cash, budget)
            quantity = funds // o[i]
            while quantity and quantity * o[i] + quantity * o[i] * 140527 // 1000000000 > funds:
                quantity -= 1
            if n < 20 and quantity:  # noqa: PLR2004
                cash -= quantity * o[i] + quantity * o[i] * 140527 // 1000000000
                shares[k], stop[k], target[k] = quantity, o[i] * 95 // 100, (o[i] * 110 + 99) // 100
                held[n] = k
                n += 1
        kept = count = 0
        for j in range(n):
            k = held[j]
            i = k * days + t
            price = 0
            if o[i] <= stop[k] or o[i] >= target[k]:
                price = o[i]
            elif lo[i] <= stop[k]:
                price = stop[k]
            elif h[i] >= target[k]:
                price = target[k]
            if price:
                value = shares[k] * price
                cash += value - value * 140527 // 1000000000 - value * 2 // 1000
                shares[k] = 0
            else:
                held[kept] = k
                kept += 1
        n = kept
        equity = cash
        for j in range(n):
            equity += shares[held[j]] * c[held[j] * days + t]
        budget = equity * 5 // 100
        event = head[t]
        while event >= 0:
            if shares[who[event]] == 0:
                wanted[count] = who[event]
                count += 1
            event = follow[event]
    return equity
