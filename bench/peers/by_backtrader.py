"""This is backtrader at the work: one line of bars a symbol, a market order at the opening, stop and target as orders.

Told to look at the opening before it orders (cheat on open), it knows the price on which quantity, stop and target
hang, and a commission in code is in whole won: it can say `krx-daily`. It is told of no account of many symbols (C).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import backtrader
import pandas as pd

from bench.peers.whole_won import buyable, cash_of, charges, levels
from bench.peers.works import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    SHARES,
    VOLUME,
    Flags,
    Integers,
    Work,
    run,
    signals,
)

_ROWS = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}


class Charges(backtrader.CommInfoBase):
    """Commission and tax in whole won."""

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> int:  # noqa: ARG002, FBT001 - theirs
        return charges(size, price)


class Cross(backtrader.Strategy):
    """Trades decisions that are made for all bars at once."""

    params = (("entries", None), ("exits", None), ("is_plain", False))

    def __init__(self) -> None:
        """Have decided nothing."""
        self.mark = 0
        self.stop_at = self.target_at = 0
        self.waiting: list[Any] = []

    def next_open(self) -> None:
        """Order at this opening what the close before decided, and what is beyond its stop or target."""
        price = round(self.data.open[0])
        is_beyond = self.waiting and not self.stop_at < price < self.target_at
        if self.mark > 0:
            self._enter(price)
        elif self.position and (self.mark < 0 or is_beyond):
            self._forget()
            self.sell(size=self.position.size)
        self.mark = 0

    def _enter(self, price: int) -> None:
        if self.p.is_plain:
            self.buy(size=SHARES)
            return
        shares = buyable(round(self.broker.get_cash()), price)
        if shares:
            self.buy(size=shares)
            self.stop_at, self.target_at = levels(price)
            stop = self.sell(size=shares, exectype=backtrader.Order.Stop, price=self.stop_at)
            limit = {"exectype": backtrader.Order.Limit, "price": self.target_at}
            self.waiting = [stop, self.sell(size=shares, oco=stop, **limit)]

    def _forget(self) -> None:
        for order in self.waiting:
            self.cancel(order)
        self.waiting = []

    def next(self) -> None:
        """Decide at this close."""
        bar = len(self.data) - 1
        if not self.position:
            self.waiting = []
            self.mark = 1 if self.p.entries[bar] else 0
        else:
            self.mark = -1 if self.p.exits[bar] else 0


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade every symbol by every pair."""
    return list(_ends(bars, work))


def _ends(bars: Integers, work: Work) -> Iterator[float]:
    days = pd.bdate_range("2016-01-04", periods=bars.shape[1])
    for pair in work.pairs:
        entries, exits = signals(bars, pair)
        for k in range(bars.shape[2]):
            table = pd.DataFrame({n: bars[row, :, k].astype(float) for n, row in _ROWS.items()})
            yield _end(table.set_index(days), entries[:, k], exits[:, k], work)


def _end(table: pd.DataFrame, entries: Flags, exits: Flags, work: Work) -> float:
    """Trade one symbol; give cash and holding at the last close."""
    engine = backtrader.Cerebro(stdstats=False, cheat_on_open=True)
    engine.adddata(backtrader.feeds.PandasData(dataname=table))
    decided = {"entries": entries.tolist(), "exits": exits.tolist()}
    engine.addstrategy(Cross, is_plain=work.is_plain, **decided)
    engine.broker.setcash(cash_of(work))
    engine.broker.set_checksubmit(False)  # it would look at the close before, not at this opening
    if not work.is_plain:
        engine.broker.addcommissioninfo(Charges())
    engine.run()
    return float(engine.broker.getvalue())


if __name__ == "__main__":
    run(trade)
