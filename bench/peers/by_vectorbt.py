"""This is vectorbt at the work: all symbols as columns of one portfolio, orders from signals.

It knows one order a bar and column and floats of money: no stop on the day of the entry, no tax on sales alone, no
charge in whole won. In C the number of places is not limited, only the cash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any, Final

import numpy as np
import vectorbt as vbt

from bench.peers.works import (
    CASH,
    CLOSE,
    COMMISSION,
    HIGH,
    LOW,
    OPEN,
    SHARED_CASH,
    SHARES,
    STOP,
    TARGET,
    WEIGHT,
    Integers,
    Pair,
    Work,
    run,
    signals,
)

COLUMNS: Final = 2_800
"""At once; more at once are no quicker and need memory."""


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade pairs in blocks, so many columns at once."""
    block = max(1, COLUMNS // bars.shape[2])
    return [end for pairs in batched(work.pairs, block) for end in _ends(bars, work, pairs)]


def _ends(bars: Integers, work: Work, pairs: Sequence[Pair]) -> Iterator[float]:
    decided = [signals(bars, pair) for pair in pairs]
    entries, exits = (_later(np.concatenate(each, axis=1)) for each in zip(*decided, strict=True))
    prices = {name: np.tile(bars[row], len(pairs)).astype(float) for name, row in _ROWS.items()}
    found = vbt.Portfolio.from_signals(
        prices["close"],
        entries,
        exits,
        price=prices["open"],
        size_granularity=1,
        freq="1D",
        **_terms(work, prices),
    )
    yield from np.atleast_1d(found.final_value())


def _terms(work: Work, prices: dict[str, Any]) -> dict[str, Any]:
    if work.is_plain:
        return {"size": SHARES, "init_cash": CASH * 100}
    stops = {
        **{name: prices[name] for name in ("open", "high", "low")},
        "sl_stop": STOP,
        "tp_stop": TARGET,
        "stop_entry_price": "fillprice",
        "fees": COMMISSION,
    }
    if work.variant == "C":
        shared = {"cash_sharing": True, "group_by": True, "call_seq": "auto"}
        return stops | shared | {"size": WEIGHT, "size_type": "percent", "init_cash": SHARED_CASH}
    return stops | {"size": np.inf, "init_cash": CASH}


_ROWS: Final = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE}


def _later(flags: np.ndarray) -> np.ndarray:
    """Trade on the next bar what a close decides."""
    moved = np.zeros_like(flags)
    moved[1:] = flags[:-1]
    return moved


if __name__ == "__main__":
    run(trade)
