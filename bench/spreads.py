"""This is what a second process gains on D, 1,000 cells of a sweep on a hundred symbols, and how much a bare loop does.

By the clock on the wall, one process and two in turns. A bare loop in two processes tells what the machine can give at
most: both share its memory, and whatever else it does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np

from backtest.cells import Question, Trial, Window
from backtest.conventions import plan_of
from backtest.tables import BarTable
from backtest.timetables import EveryDay
from bench.bare_loops import each
from bench.figures import Aim, Samples, Section
from bench.markets import SEED, a_market
from bench.places import Place
from bench.variants import CROSS, KRX_DAILY, PAIR_SYMBOLS, PAIRS
from strategies.settings import StrategySettings
from tasks.spreads import Here, Processes, Spread

SCALED: Final = 0.85
"""Of what so many processes could be quicker than one."""
WORKERS: Final = 2

_kept: list[BarTable] = []
"""What a process of the bare loop is given."""


async def measure_spreads(place: Place, samples: int) -> Section:
    """Sweep all of D so many times each way."""
    del place
    table = a_market(PAIR_SYMBOLS)
    question = _question(table)
    bare = _in_turns(lambda: _bare(range(len(PAIRS)), table), _bare_of_two(table), samples)
    two = Processes(WORKERS).ready()
    swept = _in_turns(lambda: _sweep(question, Here()), lambda: _sweep(question, two), samples)
    cold = _times(lambda: _sweep(question, Processes(WORKERS)), 1)
    gains = [median(alone) / median(together) for alone, together in (swept, bare)]
    names = ("D: sweep, one process", f"D: sweep, {WORKERS} processes")
    bare_names = ("D: bare loop, one process", f"D: bare loop, {WORKERS} processes")
    return Section(
        "Sweeps over processes",
        [
            Samples(name, times)
            for name, times in zip((*names, *bare_names), (*swept, *bare), strict=True)
        ]
        + [Samples("D: the same, with their start", cold)],
        [
            Aim(
                f"D: {WORKERS} processes {SCALED * WORKERS:.2f} times as quick",
                median(swept[1]),
                median(swept[0]) / (SCALED * WORKERS),
            )
        ],
        [
            f"Wall time. Seed {SEED}; {len(PAIRS):,} pairs x {PAIR_SYMBOLS} symbols.",
            f"{WORKERS} processes: sweep {gains[0]:.2f} times as quick, bare loop {gains[1]:.2f} times.",
        ],
    )


def _question(table: BarTable) -> Question:
    words = {"fast": CROSS.fast, "slow": CROSS.slow}
    settings = StrategySettings(
        id="bench", kind=CROSS.kind, parameters=words, symbols=table.symbols
    )
    first, last = (date.fromordinal(int(table.bars[0, i])) for i in (0, -1))
    return Question(plan_of(KRX_DAILY, settings, first=first, last=last), table, EveryDay())


def _sweep(question: Question, spread: Spread) -> None:
    window = Window(question.plan.first, question.plan.last)
    trials = [Trial(window, {"fast": fast, "slow": slow}) for fast, slow in PAIRS]
    found = sum(len(rows) for rows in spread.run(question, trials))
    if found != len(PAIRS):
        raise RuntimeError(f"{found} rows of {len(PAIRS)}")


def _bare(places: range, table: BarTable | None = None) -> None:
    kept = table or _kept[0]
    ends = np.empty((len(kept.symbols), 2), dtype=np.int64)
    for place in places:
        each(kept.bars, kept.starts, *PAIRS[place], ends)


def _bare_of_two(table: BarTable) -> Callable[[], object]:
    """Open a pool whose processes run already, and give what it does."""
    pool = ProcessPoolExecutor(WORKERS, get_context("fork"), _kept.append, (table,))
    list(pool.map(_bare, [range(1)] * WORKERS))
    parts = [range(n, len(PAIRS), WORKERS) for n in range(WORKERS)]
    return lambda: list(pool.map(_bare, parts))


def _in_turns(
    alone: Callable[[], object], together: Callable[[], object], runs: int
) -> tuple[list[float], list[float]]:
    pairs = [(*_times(alone, 1), *_times(together, 1)) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _times(work: Callable[[], object], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return times
