"""This is the fast engine's inner loops: whole numbers in, fills out, compiled by numba and kept on disk.

All of it is one file, because numba looks at no other when it judges whether what it kept still holds. The order
of a day's steps is that of `backtest.options`; a table of bars has the rows of `strategies.base.COLUMNS`.
Constants are int64, since numba compiles a function once more for every literal that it is called with.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from backtest.compiling import Whole, kernel, part
from backtest.figures import Account, Terms
from backtest.tables import Bits, Figures
from strategies.base import Integers

DAY, OPEN, HIGH, LOW, CLOSE, VOLUME = (np.int64(n) for n in range(6))
ENTRY, EXIT, STOP, TARGET = (np.int64(n) for n in (1, 2, 3, 4))
"""Why something filled; ENTRY and EXIT are also the bits of a mark, which is the decision at a close."""

NEXT_OPEN, SIGNAL_CLOSE, NEXT_CLOSE = range(3)
ROW, SHARES, PRICE, COMMISSION, TAX, CAUSE = range(6)
"""The columns of a fill. SHARES are negative when sold."""

START, FIRST, END = range(3)
"""The columns of a span: a symbol's first row, the row of the first decision that counts, the row after the last."""

NONE: Final[Whole] = np.int64(0)
SMALL: Final[Whole] = np.int64(2**31)
NEVER: Final[Whole] = np.int64(2**62)
"""An amount that nothing reaches."""


@part
def read(bars: Figures, column: Whole, row: Whole) -> Whole:
    """Read a figure of narrow columns as the wide number that all is counted in."""
    return np.int64(bars[column, row])


@part
def share(value: Whole, numerator: Whole, denominator: Whole) -> Whole:
    """Give floor(value * numerator / denominator), from 0 up, with nothing above 2**63 on the way."""
    if value < SMALL and numerator < SMALL:
        return value * numerator // denominator
    whole = value // denominator
    return whole * numerator + (value - whole * denominator) * numerator // denominator


@part
def share_up(value: Whole, numerator: Whole, denominator: Whole) -> Whole:
    """Give ceil(value * numerator / denominator)."""
    down = share(value, numerator, denominator)
    return down + (down * denominator != value * numerator)  # right also beyond 2**63


@part
def charge(value: Whole, rate: Whole, over: Whole, unit: Whole) -> Whole:
    """Give a part of a value, floored to whole won of so many units."""
    return share(value, rate, over * unit) * unit


@part
def write_fill(
    fill: Integers,
    row: Whole,
    shares: Whole,
    price: Whole,
    commission: Whole,
    tax: Whole,
    cause: Whole,
) -> None:
    """Write one fill, column by column: for a tuple at once numba compiles its messages too, and takes twice as long."""
    fill[ROW], fill[SHARES], fill[PRICE] = row, shares, price
    fill[COMMISSION], fill[TAX], fill[CAUSE] = commission, tax, cause


@part
def enter(
    account: Account,
    budget: Whole,
    price: Whole,
    row: Whole,
    volume: Whole,
    terms: Terms,
    fills: Integers,
) -> Account:
    """Buy what cash, budget and commission, sizing and volume allow."""
    rate, over, unit, n = terms.commission, terms.commission_over, terms.unit, account.fills
    price += share_up(price, terms.slippage, terms.slippage_over)
    funds = min(account.cash, budget)
    each = price * (1.0 + rate / over)
    quantity = int((funds + unit) / each * (1.0 + 1e-15)) + 1  # never too few
    while quantity * price + charge(quantity * price, rate, over, unit) > funds:
        quantity -= 1
    if terms.quantity:
        quantity = terms.quantity if quantity >= terms.quantity else NONE
    if terms.participation_over:
        quantity = min(quantity, share(volume, terms.participation, terms.participation_over))
    if quantity <= 0:
        return account
    value = quantity * price
    commission = charge(value, rate, over, unit)
    if n < len(fills):  # else it is only counted, and who called comes again with more room
        write_fill(fills[n], row, quantity, price, commission, NONE, ENTRY)
    stop = share(price, terms.stop, terms.stop_over) if terms.stop_over else -NEVER
    target = share_up(price, terms.target, terms.target_over) if terms.target_over else NEVER
    return Account(account.cash - value - commission, quantity, stop, target, n + 1)


@part
def leave(
    account: Account,
    price: Whole,
    cause: Whole,
    row: Whole,
    bars: Figures,
    taxes: Integers,
    terms: Terms,
    fills: Integers,
) -> Account:
    """Sell what is held, as far as the volume allows."""
    price = max(1, price - share_up(price, terms.slippage, terms.slippage_over))
    quantity = account.held
    if terms.participation_over:
        most = share(read(bars, VOLUME, row), terms.participation, terms.participation_over)
        quantity = min(quantity, most)
    if quantity <= 0:
        return account
    value = quantity * price
    commission = charge(value, terms.commission, terms.commission_over, terms.unit)
    tax = tax_on(value, read(bars, DAY, row), taxes, terms)
    if account.fills < len(fills):
        write_fill(fills[account.fills], row, -quantity, price, commission, tax, cause)
    cash, held = account.cash + value - commission - tax, account.held - quantity
    return Account(cash, held, account.stop, account.target, account.fills + 1)


@part
def tax_on(value: Whole, day: Whole, taxes: Integers, terms: Terms) -> Whole:
    """Give the tax on a sale, its parts floored by themselves; `taxes` are rows of (since, one part, other part)."""
    j = len(taxes) - 1
    while taxes[j, 0] > day:
        j -= 1
    tax = charge(value, taxes[j, 1], terms.tax_over, terms.unit)
    return tax + charge(value, taxes[j, 2], terms.tax_over, terms.unit) if taxes[j, 2] else tax


@part
def is_reached(bars: Figures, row: Whole, stop: Whole, target: Whole) -> bool:
    """Tell whether a bar reaches a level: seldom, and to ask is cheaper than to call `protect`."""
    low = min(read(bars, OPEN, row), read(bars, LOW, row))
    high = max(read(bars, OPEN, row), read(bars, HIGH, row))
    return bool(low <= stop or high >= target)


@part
def protect(
    account: Account, row: Whole, bars: Figures, taxes: Integers, terms: Terms, fills: Integers
) -> Account:
    """Leave what reached its stop or target: at the opening when that is beyond, else the stop first."""
    price, cause = read(bars, OPEN, row), NONE
    if price <= account.stop:
        cause = STOP
    elif price >= account.target:
        cause = TARGET
    elif read(bars, LOW, row) <= account.stop:
        price, cause = account.stop, STOP
    elif read(bars, HIGH, row) >= account.target:
        price, cause = account.target, TARGET
    return leave(account, price, cause, row, bars, taxes, terms, fills) if cause else account


@part
def act(
    account: Account,
    mark: Whole,
    budget: Whole,
    row: Whole,
    bars: Figures,
    taxes: Integers,
    terms: Terms,
    fills: Integers,
) -> Account:
    """Fill what was decided: an entry, or an exit from what is still held."""
    price = read(bars, OPEN, row) if terms.fill == NEXT_OPEN else read(bars, CLOSE, row)
    if mark == ENTRY:
        return enter(account, budget, price, row, read(bars, VOLUME, row), terms, fills)
    return leave(account, price, EXIT, row, bars, taxes, terms, fills) if account.held else account


@part
def budget_of(equity: Whole, terms: Terms) -> Whole:
    """Give what an entry may cost that is decided with so much equity."""
    return share(equity, terms.weight, terms.weight_over) if terms.weight_over else NEVER


@part
def walk(
    bars: Figures,
    span: Integers,
    marks: Bits,
    taxes: Integers,
    terms: Terms,
    fills: Integers,
    count: Whole,
) -> Account:
    """Trade one symbol with cash of its own; `marks` begin at its first row."""
    start, row, end = span[START], span[FIRST], span[END]
    account = Account(terms.cash, NONE, NONE, NONE, count)
    mark = budget = NONE
    while row < end:
        if not (mark or account.held or marks[row - start] & ENTRY):
            row += 1
            continue
        if mark and terms.fill == NEXT_OPEN:
            account = act(account, mark, budget, row, bars, taxes, terms, fills)
        if account.held and is_reached(bars, row, account.stop, account.target):
            account = protect(account, row, bars, taxes, terms, fills)
        if mark and terms.fill == NEXT_CLOSE:
            account = act(account, mark, budget, row, bars, taxes, terms, fills)
        mark = marks[row - start] & (EXIT if account.held else ENTRY)
        if mark == ENTRY:
            budget = budget_of(account.cash, terms)
        if mark and terms.fill == SIGNAL_CLOSE:
            account = act(account, mark, budget, row, bars, taxes, terms, fills)
            mark = NONE
        row += 1
    return account


@kernel
def trade_marks(
    bars: Figures,
    spans: Integers,
    marks: Bits,
    taxes: Integers,
    terms: Terms,
    fills: Integers,
    cash: Integers,
) -> Whole:
    """Trade every symbol with cash of its own; write what each has at the end, and give the number of fills.

    `spans` and `taxes` are of the symbols to trade; the first mark is that of their first row.
    """
    count = NONE
    for k in range(len(spans)):
        start, end = spans[k, START] - spans[0, START], spans[k, END] - spans[0, START]
        account = walk(bars, spans[k], marks[start:end], taxes[k], terms, fills, count)
        cash[k], count = account.cash, account.fills
    return count


AT, HELD, BELOW, ABOVE, MARK, BUDGET = range(6)
CASH, FILLS, HOLDINGS = range(3)
"""What a shared account knows of a symbol (where it stands, what is decided for how much), and of itself."""


@kernel
def trade_shared(
    bars: Figures,
    spans: Integers,
    marks: Bits,
    entries: Integers,
    days: tuple[Whole, Whole],
    taxes: Integers,
    terms: Terms,
    fills: Integers,
) -> tuple[Whole, Whole]:
    """Trade all symbols with one cash from the first to the last of `days`; give the number of fills, and the cash at the end.

    `entries` are those of the marks as (day, symbol, row), in this order. Only symbols that are held or waited for
    are looked at, a few of thousands.
    """
    state = np.zeros((len(spans), 6), np.int64)
    active = np.empty(len(state), np.int64)
    purse = np.array([terms.cash, 0, 0])
    n = seen = NONE
    for day in range(days[0], days[1] + 1):
        n = advance(day, spans, active[:n], state, bars)
        if terms.fill == NEXT_OPEN:
            do_pending(day, active[:n], purse, state, bars, taxes, terms, fills)
        for j in range(n):
            k = active[j]
            row, stop, target = state[k, AT], state[k, BELOW], state[k, ABOVE]
            if (
                state[k, HELD]
                and read(bars, DAY, row) == day
                and is_reached(bars, row, stop, target)
            ):
                account = account_of(purse, state, k)
                settle(purse, state, k, protect(account, row, bars, taxes[k], terms, fills))
        if terms.fill == NEXT_CLOSE:
            do_pending(day, active[:n], purse, state, bars, taxes, terms, fills)
        until = seen
        while until < len(entries) and entries[until, 0] == day:
            until += 1
        n = decide(day, entries[seen:until], active, n, purse, state, marks, bars, terms)
        seen = until
        if terms.fill == SIGNAL_CLOSE:
            do_pending(day, active[:n], purse, state, bars, taxes, terms, fills)
    return purse[FILLS], purse[CASH]


@part
def advance(day: Whole, spans: Integers, active: Integers, state: Integers, bars: Figures) -> Whole:
    """Forget symbols of which nothing is held or waited for, and go to the bar of `day` where there is one."""
    kept = 0
    for k in active:
        if state[k, HELD] or state[k, MARK]:
            active[kept] = k
            kept += 1
            later = state[k, AT] + 1
            if later < spans[k, END] and read(bars, DAY, later) == day:
                state[k, AT] = later
    return kept


@part
def do_pending(
    day: Whole,
    active: Integers,
    purse: Integers,
    state: Integers,
    bars: Figures,
    taxes: Integers,
    terms: Terms,
    fills: Integers,
) -> None:
    """Fill what is decided for the bars of this day: exits, then entries, in order of symbols."""
    for wanted in (EXIT, ENTRY):
        for k in active:
            row = state[k, AT]
            if state[k, MARK] != wanted or read(bars, DAY, row) != day:
                continue
            state[k, MARK] = NONE
            if wanted == EXIT or purse[HOLDINGS] < terms.places:
                account = account_of(purse, state, k)
                account = act(account, wanted, state[k, BUDGET], row, bars, taxes[k], terms, fills)
                settle(purse, state, k, account)


@part
def decide(
    day: Whole,
    entries: Integers,
    active: Integers,
    n: Whole,
    purse: Integers,
    state: Integers,
    marks: Bits,
    bars: Figures,
    terms: Terms,
) -> Whole:
    """Mark what this close decides: exits of what is held, entries of what is not; give how many are active now."""
    equity = purse[CASH]
    for k in active[:n]:
        row = state[k, AT]
        equity += state[k, HELD] * read(bars, CLOSE, row)
        if state[k, HELD] and read(bars, DAY, row) == day and marks[row] & EXIT:
            state[k, MARK] = EXIT
    for j in range(len(entries)):
        k, row = entries[j, 1], entries[j, 2]
        if state[k, HELD] == 0:
            state[k, AT], state[k, MARK] = row, ENTRY
            state[k, BUDGET] = budget_of(equity, terms)
            n = insert(k, active, n)
    return n


@part
def insert(k: Whole, active: Integers, n: Whole) -> Whole:
    """Add k to the first n of `active`, which rise, unless it is there; give how many there are then."""
    place = n
    while place > 0 and active[place - 1] > k:
        place -= 1
    if place > 0 and active[place - 1] == k:
        return n
    for j in range(n, place, -1):
        active[j] = active[j - 1]
    active[place] = k
    return n + 1


@part
def account_of(purse: Integers, state: Integers, k: Whole) -> Account:
    """Read what symbol k has."""
    return Account(purse[CASH], state[k, HELD], state[k, BELOW], state[k, ABOVE], purse[FILLS])


@part
def settle(purse: Integers, state: Integers, k: Whole, account: Account) -> None:
    """Write down what became of it."""
    purse[HOLDINGS] += np.int64(account.held > 0) - np.int64(state[k, HELD] > 0)
    purse[CASH], purse[FILLS] = account.cash, account.fills
    state[k, HELD], state[k, BELOW], state[k, ABOVE] = account.held, account.stop, account.target
