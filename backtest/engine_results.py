"""This is what the fast engine gives: fills as rows of whole numbers, and what they amount to when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from backtest.kernels import CLOSE, COMMISSION, DAY, END, PRICE, ROW, SHARES, START, TAX
from backtest.options import BacktestOptions, CashSplit
from backtest.outcomes import Outcome, OutcomeFill
from backtest.tables import BarTable
from backtest.worths import book_fills, note_days
from strategies.base import Flags, Integers
from trading.orders import Side


@dataclass(frozen=True, slots=True, eq=False)
class EngineResult:
    """Every fill as a row of `backtest.kernels`' columns, and the cash of each account at the end.

    Fills are in the order of symbols where each has cash of its own, else in the order of days.
    """

    table: BarTable
    options: BacktestOptions
    spans: Integers
    first: int
    fills: Integers
    cash: Integers

    @property
    def equity(self) -> tuple[Integers, Integers]:
        """Give days (as ordinals) and what all accounts were worth at their closes, in won times the price scale.

        The days are those with a bar, from the first on which a decision could fill.
        """
        since, has_bar = self._days()
        days, places = np.flatnonzero(has_bar) + since, np.cumsum(has_bar) - 1
        changes, invested = np.zeros(len(days), np.int64), np.zeros(len(days), np.int64)
        fills = self.fills[np.argsort(self.fills[:, ROW], kind="stable")]
        book_fills(self.table.bars, self.spans, fills, (since, places), (changes, invested))
        paid_in = len(self.cash) * self.options.cash * self.options.price_scale
        return days, paid_in + np.cumsum(changes) + invested

    @property
    def worth(self) -> Integers:
        """Give what each account of `cash` is worth at the last closes."""
        held = np.zeros(len(self.spans), dtype=np.int64)
        np.add.at(held, self._places(), self.fills[:, SHARES])
        values: Integers = held * self.table.bars[CLOSE, self.spans[:, END] - 1]
        if self.options.cash_split is CashSplit.SHARED:
            values = values.sum(keepdims=True)
        return self.cash + values

    @property
    def trades(self) -> int:
        """How often something was held no more."""
        places = self._places()
        order = np.argsort(places, kind="stable")
        held, owner = np.cumsum(self.fills[order, SHARES]), places[order]
        before = np.concatenate(([0], held))[np.searchsorted(owner, owner)]
        return int(np.count_nonzero(held == before))

    def outcome(self) -> Outcome:
        """Tell it as the replay does."""
        days, equity = self.equity
        points = zip(map(date.fromordinal, days.tolist()), equity.tolist(), strict=True)
        fills = sorted(self._told(), key=lambda fill: (fill.trading_day, fill.symbol))
        return Outcome(tuple(fills), int(self.cash.sum()), tuple(points))

    def _told(self) -> Iterator[OutcomeFill]:
        days = self.table.bars[DAY, self.fills[:, ROW]].tolist()
        for fill, day, k in zip(self.fills.tolist(), days, self._places().tolist(), strict=True):
            shares = fill[SHARES]
            yield OutcomeFill(
                date.fromordinal(day),
                self.table.symbols[k],
                Side.BUY if shares > 0 else Side.SELL,
                abs(shares),
                fill[PRICE],
                fill[COMMISSION],
                fill[TAX],
            )

    def _places(self) -> Integers:
        return np.searchsorted(self.table.starts, self.fills[:, ROW], side="right") - 1

    def _days(self) -> tuple[int, Flags]:
        """Give the earliest day, and from it on which days have a bar and count."""
        traded = self.spans[self.spans[:, START] < self.spans[:, END]]
        days = self.table.bars[DAY]
        since, last = int(days[traded[:, START]].min()), int(days[traded[:, END] - 1].max())
        has_bar = np.zeros(last - since + 1, dtype=np.bool_)
        note_days(self.table.bars, traded, since, has_bar)
        has_bar[: max(0, self.first - since)] = False
        return since, has_bar
