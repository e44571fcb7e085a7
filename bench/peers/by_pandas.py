"""This is plain pandas at the work: decisions from rolling sums of whole tables, then a loop over the days.

A loop in Python can be told all of `krx-daily`, so there is nothing that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from bench.peers.whole_won import Account
from bench.peers.works import CLOSE, VOLUME, VOLUME_WINDOW, Integers, Pair, Work, run


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade all symbols by every pair; in C there is one account."""
    return [end for pair in work.pairs for end in _ends(bars, pair, work)]


def _ends(bars: Integers, pair: Pair, work: Work) -> Iterator[float]:
    up, down = decided(pd.DataFrame(bars[CLOSE]), pd.DataFrame(bars[VOLUME]), pair)
    symbols = bars.shape[2]
    step = symbols if work.variant == "C" else 1
    for k in range(0, symbols, step):
        own = slice(k, k + step)
        entries, exits = (table.iloc[:, own].to_numpy() for table in (up, down))
        account = Account(bars[:, :, own], entries, exits, work)
        for day in range(bars.shape[1]):
            account.fills(day)
        yield account.worth(bars.shape[1] - 1)


def decided(
    close: pd.DataFrame, volume: pd.DataFrame, pair: Pair
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decide at every close of every symbol; sums of whole numbers are whole in its floats too."""
    fast, slow = pair
    gap = close.rolling(fast).sum() * slow - close.rolling(slow).sum() * fast
    before, is_loud = gap.shift(), volume * VOLUME_WINDOW > volume.rolling(VOLUME_WINDOW).sum()
    return (before <= 0) & (gap > 0) & is_loud, (before >= 0) & (gap < 0)


if __name__ == "__main__":
    run(trade)
