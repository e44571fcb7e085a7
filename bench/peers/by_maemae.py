"""This is our engines at the work, and the bare loop beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from backtest.conventions import plan_of, run_convention
from backtest.engine import run_engine
from backtest.options import BacktestOptions, CashSplit, FillConvention, MarketRules, SizingKind
from backtest.tables import BarTable
from backtest.timetables import EveryDay
from bench.bare_loops import each, shared
from bench.peers.works import CASH, CLOSE, SHARES, Integers, Pair, Work, run
from bench.variants import KRX_DAILY, ONE_CASH
from strategies.moving_average import MovingAverageCross
from strategies.settings import StrategySettings
from trading.instruments import Symbol

PLAIN: Final = BacktestOptions(
    commission_rate=KRX_DAILY.commission_rate * 0,
    tax_rate=KRX_DAILY.commission_rate * 0,
    cash=CASH * 100,
    cash_split=CashSplit.EACH,
    sizing=SizingKind.QUANTITY,
    quantity=SHARES,
    market=MarketRules.NONE,
)
SAME_CLOSE: Final = replace(PLAIN, fill=FillConvention.SIGNAL_CLOSE)
"""What can be said to an engine that fills at the close that decides."""


def fast(bars: Integers, work: Work) -> Sequence[float]:
    """Trade with compiled loops; in C there is one account."""
    table, options = _table(bars), _options(work)
    return [end for pair in work.pairs for end in _by_engine(table, pair, options)]


def exact(bars: Integers, work: Work) -> Sequence[float]:
    """Trade through the pipeline; in C there is one account."""
    table, options = _table(bars), _options(work)
    if options.cash_split is CashSplit.SHARED:
        return [_by_replay(table, pair, options) for pair in work.pairs]
    tables = [BarTable.of({symbol: table[symbol]}) for symbol in table]
    return [_by_replay(each, pair, options) for pair in work.pairs for each in tables]


def bare(bars: Integers, work: Work) -> Sequence[float]:
    """Trade with the least that can be written."""
    table = _table(bars)
    if work.variant == "C":
        return [float(shared(table.bars, bars.shape[2], *pair)) for pair in work.pairs]
    return [end for pair in work.pairs for end in _by_loop(table, pair)]


def _options(work: Work) -> BacktestOptions:
    if work.is_plain:
        return SAME_CLOSE if work.variant == "same close" else PLAIN
    return ONE_CASH if work.variant == "C" else KRX_DAILY


def _table(bars: Integers) -> BarTable:
    figures, symbols, days = bars.shape
    names = tuple(Symbol(f"{number:06d}") for number in range(1, symbols + 1))
    starts = np.arange(0, symbols * days + 1, days)
    return BarTable(names, starts, bars.reshape(figures, symbols * days))


def _by_engine(table: BarTable, pair: Pair, options: BacktestOptions) -> list[float]:
    worth = run_engine(table, MovingAverageCross(fast=pair[0], slow=pair[1]), options).worth
    return list(map(float, worth.tolist()))


def _by_loop(table: BarTable, pair: Pair) -> list[float]:
    ends = np.empty((len(table.symbols), 2), dtype=np.int64)
    each(table.bars, table.starts, *pair, ends)
    worth = ends[:, 0] + ends[:, 1] * table.bars[CLOSE, table.starts[1:] - 1]
    return list(map(float, worth.tolist()))


def _by_replay(table: BarTable, pair: Pair, options: BacktestOptions) -> float:
    settings = StrategySettings(
        id="bench",
        kind=MovingAverageCross.kind,
        parameters={"fast": pair[0], "slow": pair[1]},
        symbols=table.symbols,
    )
    first, last = (date.fromordinal(int(table.bars[0, i])) for i in (0, -1))
    plan = plan_of(options, settings, first=first, last=last)
    universe = dict(table)
    return float(run_convention(universe, plan, EveryDay()).equity[-1].closing)


ENGINES: Final[Mapping[str, Callable[[Integers, Work], Sequence[float]]]] = {
    "fast": fast,
    "exact": exact,
    "bare": bare,
}

if __name__ == "__main__":
    run(ENGINES[sys.argv[3]])
