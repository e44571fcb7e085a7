"""This is backtesting.py at the work: one symbol after the other, orders from `next`.

It knows no account of many symbols (C), and a level must be named before the fill whose price it depends on: stop and
target are of the close that decides. Commission and tax can be said in whole won.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from bench.peers.works import (
    CASH,
    CLOSE,
    COMMISSION,
    HIGH,
    LOW,
    OPEN,
    SHARES,
    STOP,
    TARGET,
    TAX,
    VOLUME,
    Flags,
    Integers,
    Work,
    run,
    signals,
)

ALL: Final = 0.9998
"""Of the cash: 1 would leave nothing for the commission."""
NOTHING: Final[Flags] = np.zeros(0, np.bool_)
_ROWS: Final = {"Open": OPEN, "High": HIGH, "Low": LOW, "Close": CLOSE, "Volume": VOLUME}


class Cross(Strategy):
    """Trades decisions that are made for all bars at once."""

    entries: Flags = NOTHING
    exits: Flags = NOTHING
    is_plain: bool = False

    def init(self) -> None:
        """Have nothing to prepare."""

    def next(self) -> None:
        """Order at the next opening what this close decides."""
        i = len(self.data) - 1
        if not self.position and self.entries[i]:
            close = self.data.Close[-1]
            levels = {} if self.is_plain else {"sl": close * (1 - STOP), "tp": close * (1 + TARGET)}
            self.buy(size=SHARES if self.is_plain else ALL, **levels)
        elif self.position and self.exits[i]:
            self.position.close()


def charges(size: float, price: float) -> int:
    """Give commission and tax in whole won."""
    value = abs(size) * price
    return int(value * COMMISSION) + (int(value * TAX) if size < 0 else 0)


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade every symbol by every pair."""
    warnings.simplefilter("ignore")
    return list(_ends(bars, work))


def _ends(bars: Integers, work: Work) -> Iterator[float]:
    days = pd.bdate_range("2016-01-04", periods=bars.shape[1])
    for pair in work.pairs:
        entries, exits = signals(bars, pair)
        for k in range(bars.shape[2]):
            table = pd.DataFrame({name: bars[row, :, k] for name, row in _ROWS.items()}, index=days)
            cash = CASH * 100 if work.is_plain else CASH
            test = Backtest(table, Cross, cash=cash, commission=0 if work.is_plain else charges)
            decided = {"entries": entries[:, k], "exits": exits[:, k], "is_plain": work.is_plain}
            yield float(np.round(test.run(**decided)["Equity Final [$]"]))


if __name__ == "__main__":
    run(trade)
