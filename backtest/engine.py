"""This is the fast engine: the conventions of `backtest.options` in compiled loops, equal to the replay to the won.

What it does not know it refuses by name; the replay (`backtest.conventions`) knows all of it. Importing this module
loads numba, which takes a third of a second: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Final

import numpy as np

from backtest.crosses import Cross, mark_crosses, room_for
from backtest.engine_results import EngineResult
from backtest.figures import Terms
from backtest.kernels import (
    DAY,
    END,
    ENTRY,
    EXIT,
    FIRST,
    ROW,
    SHARES,
    START,
    trade_marks,
    trade_shared,
)
from backtest.options import BacktestOptions, CashSplit, FillConvention, MarketRules
from backtest.tables import BarTable, Bits, Figures
from backtest.terms import taxes_of, terms_of
from strategies.base import BarColumns, Integers, Strategy
from strategies.moving_average import MovingAverageCross
from trading.bars import Interval
from trading.costs import tax_rates
from trading.errors import BadInput, NotSupported
from trading.instruments import Instrument, Symbol

NO_INSTRUMENTS: Final[Mapping[Symbol, Instrument]] = {}
_BLOCK: Final = 100_000
"""Rows that are decided and traded together, so few that they are still in the processor's own memory."""


def run_engine(
    universe: BarTable | Mapping[Symbol, BarColumns],
    strategy: Strategy,
    options: BacktestOptions,
    *,
    first: date | None = None,
    last: date | None = None,
    instruments: Mapping[Symbol, Instrument] = NO_INSTRUMENTS,
) -> EngineResult:
    """Trade `strategy` on daily bars from `first` to `last`; bars before `first` warm its averages up.

    Raises:
        NotSupported: naming the option or the strategy that only the replay knows.
        BadInput: when no symbol has bars enough for a first decision, or something is sold on a day without a tax rate.
    """
    terms = terms_of(options)
    _require_known(strategy)
    table = universe if isinstance(universe, BarTable) else BarTable.of(universe)
    spans = _spans(table, options, first, last)
    taxes = taxes_of(options, table.symbols, instruments)
    run = _Run(table, spans, terms, taxes, strategy)
    is_shared = options.cash_split is CashSplit.SHARED
    fills, cash = run.shared() if is_shared else run.each()
    if options.tax_rate is None:
        _require_rates(table, fills, taxes, instruments)
    counts = _first_counting(table, spans, strategy, options, first)
    return EngineResult(table, options, spans, counts, fills, cash)


def compile_kernels() -> None:
    """Compile what is not kept on disk yet, so that nobody waits for it later; the installation does this."""
    price = np.arange(1, 40)
    for split, volume in product(CashSplit, (1, 2**32)):  # narrow columns and wide ones
        columns = BarColumns(price, price, price, price, price, price * volume)
        options = BacktestOptions(cash_split=split, market=MarketRules.NONE)
        cross = MovingAverageCross(fast=2, slow=5, volume_window=5)
        _ = run_engine({Symbol("000001"): columns}, cross, options).equity


def _require_known(strategy: Strategy) -> None:
    if strategy.interval is not Interval.DAY:
        raise NotSupported("strategy", strategy.kind, "one on daily bars with the fast engine")


def _require_rates(
    table: BarTable, fills: Integers, taxes: Integers, instruments: Mapping[Symbol, Instrument]
) -> None:
    """Check that nothing was sold before the dated tax begins, which nobody may guess."""
    begins = (taxes[:, :, 0] > 0).argmax(axis=1)  # 0 for what pays none
    since = taxes[np.arange(len(taxes)), begins, 0]
    sales = fills[fills[:, SHARES] < 0, ROW]
    places = np.searchsorted(table.starts, sales, side="right") - 1
    early = np.flatnonzero(table.bars[DAY, sales] < since[places])
    if early.size:
        symbol = table.symbols[places[early[0]]]
        sold = instruments.get(symbol, Instrument(symbol, symbol))
        day = date.fromordinal(int(table.bars[DAY, sales[early[0]]]))
        tax_rates(sold.market, sold.kind, day)  # refuses


def _spans(
    table: BarTable, options: BacktestOptions, first: date | None, last: date | None
) -> Integers:
    """Give for each symbol the rows of its bars, and that of the first decision that counts (see kernels)."""
    spans = np.empty((len(table.symbols), 3), dtype=np.int64)
    spans[:, START] = spans[:, FIRST] = table.starts[:-1]
    spans[:, END] = table.starts[1:]
    before = 0 if options.fill is FillConvention.SIGNAL_CLOSE else 1
    days = table.bars[DAY]
    if last:
        for k in np.flatnonzero(days[spans[:, END] - 1] > last.toordinal()):
            spans[k, END] = _row_after(days, spans[k], last.toordinal())
    if first:
        for k in np.flatnonzero(days[spans[:, START]] < first.toordinal()):
            reached = _row_after(days, spans[k], first.toordinal() - 1)
            spans[k, FIRST] = max(reached - before, spans[k, START])
    return spans


def _row_after(days: Figures, span: Integers, day: int) -> int:
    """Find a symbol's first row after a day."""
    own = days[span[START] : span[END]]
    return int(span[START] + np.searchsorted(own, day, side="right"))


def _first_counting(
    table: BarTable,
    spans: Integers,
    strategy: Strategy,
    options: BacktestOptions,
    first: date | None,
) -> int:
    """Give the day from which the curve counts: the first on which a decision can fill."""
    rows = spans[:, START] + (strategy.warm_up - 1)
    rows = rows[rows < spans[:, END]]
    if not rows.size:
        longest = int((spans[:, END] - spans[:, START]).max(initial=0))
        expected = f"at least {strategy.warm_up}, for a first decision of {strategy.kind}"
        raise BadInput("bars", longest, expected)
    decided = int(table.bars[DAY, rows].min())
    is_same_day = options.fill is FillConvention.SIGNAL_CLOSE
    return max(first.toordinal() if first else 0, decided + (0 if is_same_day else 1))


@dataclass(frozen=True, slots=True)
class _Run:
    """One question, ready for the kernels."""

    table: BarTable
    spans: Integers
    terms: Terms
    taxes: Integers
    strategy: Strategy

    def each(self) -> tuple[Integers, Integers]:
        """Give the fills and each symbol's cash, where each has cash of its own."""
        fills, cash = [], []
        room = np.empty((0, 6), dtype=np.int64)
        for part in self._blocks():
            marks, entries = self._marks(part)
            if len(room) < 2 * entries:
                room = np.empty((2 * entries, 6), dtype=np.int64)
            traded, left = self._each_of(part, marks, room)
            fills.append(traded)
            cash.append(left)
        if len(fills) == 1:
            return fills[0], cash[0]
        return np.concatenate(fills), np.concatenate(cash)

    def shared(self) -> tuple[Integers, Integers]:
        """Give the fills and the cash of one account."""
        marks, count = self._marks(slice(None))
        bars, room = self.table.bars, 2 * count
        entries = self._entries(marks)
        begin = int(entries[0, 0]) if len(entries) else 1
        days = begin, int(bars[DAY, self.spans[:, END] - 1].max()) if len(entries) else 0
        while True:
            fills = np.empty((room, 6), dtype=np.int64)
            given = (entries, days, self.taxes, self.terms, fills)
            count, cash = trade_shared(bars, self.spans, marks, *given)
            if count <= room:
                return fills[:count], np.array([cash])
            room = count

    def _each_of(self, part: slice, marks: Bits, room: Integers) -> tuple[Integers, Integers]:
        """Trade the symbols of a block; once more when parts of orders made more fills than there was room for."""
        cash = np.empty(len(self.spans[part]), dtype=np.int64)
        while True:
            given = (self.taxes[part], self.terms, room, cash)
            count = trade_marks(self.table.bars, self.spans[part], marks, *given)
            if count <= len(room):
                return room[:count].copy(), cash
            room = np.empty((count, 6), dtype=np.int64)

    def _blocks(self) -> Iterator[slice]:
        """Cut the symbols into blocks; one block when the strategy looks at them together, or they are few."""
        if type(self.strategy) is not MovingAverageCross or self.table.size <= _BLOCK:
            yield slice(None)
            return
        begin = 0
        while begin < len(self.spans):
            row = self.spans[begin, START] + _BLOCK
            end = max(int(np.searchsorted(self.spans[:, END], row)), begin + 1)
            yield slice(begin, end)
            begin = end

    def _marks(self, part: slice) -> tuple[Bits, int]:
        """Give the decisions at each row of some symbols, and how many of them are entries."""
        spans = self.spans[part]
        marks = np.zeros(spans[-1, END] - spans[0, START], dtype=np.uint8)
        if type(self.strategy) is MovingAverageCross:
            return marks, mark_crosses(
                self.table.bars, spans, _cross(self.strategy), marks, room_for(spans)
            )
        decided = self.strategy.evaluate_all(self.table)
        for symbol, (start, _, end) in zip(self.table.symbols, spans.tolist(), strict=True):
            decisions = decided[symbol]
            if decisions.weight is not None:
                expected = "one without target weights with the fast engine"
                raise NotSupported("strategy", self.strategy.kind, expected)
            bits = decisions.entry * ENTRY + decisions.exit * EXIT
            bits[: self.strategy.warm_up - 1] = 0
            marks[start:end] = bits[: end - start]
        return marks, int(np.count_nonzero(marks & ENTRY))

    def _entries(self, marks: Bits) -> Integers:
        """Give the entries that count as (day, symbol, row), by day and then by symbol."""
        rows = np.flatnonzero(marks & np.uint8(ENTRY))
        symbols = np.searchsorted(self.table.starts, rows, side="right") - 1
        days = self.table.bars[DAY, rows]
        listed = np.column_stack((days, symbols, rows))[rows >= self.spans[symbols, FIRST]]
        order = np.argsort(listed[:, 0], kind="stable")
        return np.take(listed, order, axis=0)


def _cross(strategy: MovingAverageCross) -> Cross:
    ratio = strategy.volume_ratio or Decimal(0)
    return Cross(strategy.fast, strategy.slow, strategy.volume_window, *ratio.as_integer_ratio())
