"""This is what the fast engine gives: fills as rows of whole numbers, and what they amount to when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from backtest.kernels import CLOSE, COMMISSION, DAY, END, PRICE, ROW, SHARES, START, TAX
from backtest.options import BacktestOptions
from backtest.outcomes import Outcome, OutcomeFill
from backtest.tables import BarTable
from strategies.base import Integers
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
        days = self._days()
        at = np.searchsorted(days, self.table.bars[DAY, self.fills[:, ROW]])
        value = self.fills[:, SHARES] * self.fills[:, PRICE]
        flows = np.zeros(len(days), dtype=np.int64)
        np.add.at(flows, at, -value - self.fills[:, COMMISSION] - self.fills[:, TAX])
        worth = np.cumsum(flows) + len(self.cash) * self.options.cash * self.options.price_scale
        places = self._places()
        for k in np.unique(places):
            worth += self._holding(self.fills[places == k], self.spans[k], days)
        return days, worth

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

    def _days(self) -> Integers:
        """Give every day that has a bar, from the first that counts to the last."""
        rows = [(start, end) for start, _, end in self.spans.tolist() if start < end]
        days = [self.table.bars[DAY, start:end] for start, end in rows]
        first = min(int(own[0]) for own in days)
        has_bar = np.zeros(max(int(own[-1]) for own in days) - first + 1, dtype=np.bool_)
        for own in days:
            has_bar[own - first] = True
        found = np.flatnonzero(has_bar) + first
        return found[found >= self.first]

    def _holding(self, fills: Integers, span: Integers, days: Integers) -> Integers:
        """Value what is held of one symbol at its last close of each day."""
        own = slice(span[START], span[END])
        values = np.zeros(own.stop - own.start + 1, dtype=np.int64)
        np.add.at(values, fills[:, ROW] - own.start + 1, fills[:, SHARES])
        values = np.cumsum(values)
        values[1:] *= self.table.bars[CLOSE, own]
        known = self.table.bars[DAY, own]
        if np.array_equal(known[-len(days) :], days):  # it traded on every one, as most do
            return values[-len(days) :]
        return values[np.searchsorted(known, days, side="right")]
