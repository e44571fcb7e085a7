"""This is how long backtests take: the work of variants A to D, the fast engine beside a bare loop, the exact one on A.

A: one symbol of 2,500 days. B: 2,800 of them, each with its own cash. C: the same with one cash, at most 20 holdings
of 5 %. D: 1,000 pairs of windows on 100 symbols. Prices are made from a seed; every variant must come to the same won
as the bare loop, and samples of it to the same outcome as the replay, else there is no figure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from statistics import median
from time import process_time
from typing import Final

import numpy as np

from backtest.conventions import plan_of, run_convention
from backtest.engine import run_engine
from backtest.engine_results import EngineResult
from backtest.options import BacktestOptions
from backtest.outcomes import outcome_of
from backtest.results import ReplayResult
from backtest.tables import BarTable, Figures
from backtest.timetables import EveryDay
from bench.bare_loops import each, shared
from bench.figures import Aim, Samples, Section
from bench.markets import DAYS, SEED, a_market
from bench.places import Place
from bench.variants import CROSS, KRX_DAILY, ONE_CASH, PAIR_SYMBOLS, PAIRS, SYMBOLS
from strategies.moving_average import MovingAverageCross
from strategies.settings import StrategySettings
from trading.instruments import Symbol

SAMPLED: Final = 5
AT_MOST: Final = 1.5
"""Times a bare loop."""
LONGEST_A: Final = 100e-6
EXACT_RATE: Final = 200_000
"""Bars a second."""


async def measure_backtests(place: Place, samples: int) -> Section:
    """Run every variant `samples` times; D, which is long, a third as often."""
    del place
    market = a_market(SYMBOLS)
    one, hundred = _first(market, 1), _first(market, PAIR_SYMBOLS)
    _check(market, hundred)
    pairs = _pairs(one, hundred, market, samples)
    exact = _times(lambda: _exact(one, CROSS, KRX_DAILY), samples * 20)
    reading = _times(market.bars.sum, samples)
    measured = [
        Samples(f"{name}: {who}", times)
        for name, both in pairs.items()
        for who, times in zip(("fast engine", "bare loop"), both, strict=True)
    ]
    measured += [Samples("A: exact engine", exact), Samples("B: reading every bar once", reading)]
    ratios = {name: median(ours) / median(bare) for name, (ours, bare) in pairs.items()}
    aims = [Aim("A: fast engine", median(pairs["A"][0]), LONGEST_A)]
    aims += [
        Aim(f"{name}: fast engine, {AT_MOST} bare loops", median(ours), AT_MOST * median(bare))
        for name, (ours, bare) in pairs.items()
        if name != "A"
    ]
    aims.append(Aim("A: exact engine, 200,000 bars/s", median(exact), DAYS / EXACT_RATE))
    notes = [
        f"CPU time. Seed {SEED}; {SYMBOLS:,} symbols x {DAYS:,} days; {len(PAIRS):,} pairs x {PAIR_SYMBOLS} symbols.",
        "Times a bare loop: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()),
        f"Exact engine on A: {DAYS / median(exact):,.0f} bars a second.",
        f"Equal to the won: bare loops on all of A, B, C, D; the replay on A, {SAMPLED} symbols of B, {SAMPLED} cells of D.",
    ]
    return Section("Backtests", measured, aims, notes)


def _pairs(
    one: BarTable, hundred: BarTable, market: BarTable, samples: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Time every variant, and its bare loop beside it."""
    works: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "A": (
            lambda: run_engine(one, CROSS, KRX_DAILY),
            lambda: _bare_each(one, CROSS),
            samples * 200,
        ),
        "B": (
            lambda: run_engine(market, CROSS, KRX_DAILY),
            lambda: _bare_each(market, CROSS),
            samples,
        ),
        "C": (
            lambda: run_engine(market, CROSS, ONE_CASH).worth,
            lambda: _bare_shared(market),
            samples,
        ),
        "D": (lambda: _sweep(hundred), lambda: _bare_sweep(hundred), max(1, samples // 3)),
    }
    return {n: (_times(ours, runs), _times(bare, runs)) for n, (ours, bare, runs) in works.items()}


def _first(market: BarTable, symbols: int) -> BarTable:
    rows = int(market.starts[symbols])
    bars: Figures = np.ascontiguousarray(market.bars[:, :rows])
    return BarTable(market.symbols[:symbols], market.starts[: symbols + 1], bars)


def _times(work: Callable[[], object], runs: int) -> list[float]:
    """Give the CPU time of each run, after one that compiles."""
    work()
    times = []
    for _ in range(runs):
        began = process_time()
        work()
        times.append(process_time() - began)
    return times


def _bare_each(table: BarTable, cross: MovingAverageCross) -> np.ndarray:
    ends = np.empty((len(table.symbols), 2), dtype=np.int64)
    each(table.bars, table.starts, cross.fast, cross.slow, ends)
    return ends


def _bare_shared(table: BarTable) -> int:
    return int(shared(table.bars, DAYS, CROSS.fast, CROSS.slow))


@cache
def _crosses() -> tuple[MovingAverageCross, ...]:
    return tuple(MovingAverageCross(fast=fast, slow=slow) for fast, slow in PAIRS)


def _sweep(table: BarTable) -> list[EngineResult]:
    return [run_engine(table, cross, KRX_DAILY) for cross in _crosses()]


def _bare_sweep(table: BarTable) -> list[np.ndarray]:
    return [_bare_each(table, cross) for cross in _crosses()]


def _exact(table: BarTable, cross: MovingAverageCross, options: BacktestOptions) -> ReplayResult:
    universe = dict(table)
    settings = _settings(table.symbols, cross)
    first, last = (date.fromordinal(int(table.bars[0, i])) for i in (0, -1))
    plan = plan_of(options, settings, first=first, last=last)
    return run_convention(universe, plan, EveryDay())


def _settings(symbols: tuple[Symbol, ...], cross: MovingAverageCross) -> StrategySettings:
    words = {"fast": cross.fast, "slow": cross.slow}
    return StrategySettings(id="bench", kind=cross.kind, parameters=words, symbols=symbols)


def _check(market: BarTable, hundred: BarTable) -> None:
    """Compare all variants with the bare loops, and samples with the replay.

    Raises:
        RuntimeError: for a figure that differs.
    """
    cells = list(zip(_crosses(), _sweep(hundred), _bare_sweep(hundred), strict=True))
    cells.append((CROSS, run_engine(market, CROSS, KRX_DAILY), _bare_each(market, CROSS)))
    for cross, ours, bare in cells:
        _require(ours.cash.tolist() == bare[:, 0].tolist(), f"cash of {cross!r}")
    one_cash = run_engine(market, CROSS, ONE_CASH)
    _require(one_cash.worth.tolist() == [_bare_shared(market)], "worth of C")
    random = np.random.default_rng(SEED)
    for k in (0, *random.integers(0, SYMBOLS, SAMPLED).tolist()):
        _compare(_only(market, k), CROSS)
    for k, p in zip(*random.integers(0, (PAIR_SYMBOLS, len(PAIRS)), (SAMPLED, 2)).T, strict=True):
        _compare(_only(hundred, int(k)), _crosses()[p])


def _only(table: BarTable, k: int) -> BarTable:
    return BarTable.of({table.symbols[k]: table[table.symbols[k]]})


def _compare(table: BarTable, cross: MovingAverageCross) -> None:
    ours = run_engine(table, cross, KRX_DAILY).outcome()
    exact = outcome_of(_exact(table, cross, KRX_DAILY))
    _require(ours == exact, f"{table.symbols[0]} by {cross!r}")


def _require(is_equal: bool, what: str) -> None:  # noqa: FBT001 - what it is about
    if not is_equal:
        raise RuntimeError(f"not equal: {what}")
