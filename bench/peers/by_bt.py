"""This is bt at the work: a tree of securities under one strategy, filled by an algo that names quantity and price.

With a table of spreads it takes any price, and a function for commission and tax in whole won: it can be told all of
`krx-daily`, though what to fill is then decided outside (`whole_won`); its book is what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import bt
import numpy as np
import pandas as pd

from bench.peers.whole_won import Account, cash_of, charges
from bench.peers.works import CLOSE, Integers, Pair, Work, run, signals


class Cross(bt.Algo):
    """Fills what an account says."""

    def __init__(self, account: Account, names: Sequence[str]) -> None:
        """Begin before the first bar."""
        super().__init__()
        self._account, self._names, self._day = account, names, -1

    def __call__(self, target: bt.Strategy) -> bool:
        """Fill what this bar fills."""
        self._day += 1
        for k, quantity, price in self._account.fills(self._day):
            target[self._names[k]].transact(quantity, price=price)
        return True


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade all symbols by every pair; in C there is one account."""
    return [end for pair in work.pairs for end in _ends(bars, pair, work)]


def _ends(bars: Integers, pair: Pair, work: Work) -> Iterator[float]:
    up, down = signals(bars, pair)
    symbols = bars.shape[2]
    step = symbols if work.variant == "C" else 1
    for k in range(0, symbols, step):
        own = slice(k, k + step)
        account = Account(bars[:, :, own], up[:, own], down[:, own], work)
        yield _end(bars[CLOSE, :, own], account, work)


def _end(closes: Integers, account: Account, work: Work) -> float:
    """Trade one account; give what its own book is worth at the last close."""
    names = [f"{k:06d}" for k in range(closes.shape[1])]
    days = pd.bdate_range("2016-01-04", periods=len(closes))
    table = pd.DataFrame(closes.astype(float), index=days, columns=names)
    strategy = bt.Strategy("cross", [Cross(account, names)], [bt.Security(each) for each in names])
    test = bt.Backtest(
        strategy,
        table,
        initial_capital=float(cash_of(work)),
        commissions=None if work.is_plain else charges,
        additional_data={"bidoffer": pd.DataFrame(np.zeros(closes.shape), days, names)},
    )
    test.run()
    return float(test.strategy.value)


if __name__ == "__main__":
    run(trade)
