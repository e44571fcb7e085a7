"""This is the work that every engine is given, in numpy and the standard library alone: each has its own environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import numpy as np
import numpy.typing as npt

type Integers = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.bool_]
type Pair = tuple[int, int]

OPEN, HIGH, LOW, CLOSE, VOLUME = 1, 2, 3, 4, 5
VOLUME_WINDOW: Final = 20
SHARES: Final = 10
"""Of each entry of the plain work, which every engine can say: no costs, no stops, a fixed quantity."""
CASH: Final = 10_000_000
SHARED_CASH: Final = 100_000_000
PLACES: Final = 20
WEIGHT: Final = 0.05
STOP: Final = 0.05
TARGET: Final = 0.10
COMMISSION: Final = 0.000140527
TAX: Final = 0.002
FEW: Final = 300
"""Days and symbols with which an engine is run first, so that nothing is compiled while it is measured."""
LONG_ENOUGH: Final = 0.2
"""Seconds; what is quicker is done again and again."""
KIBIBYTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Work:
    """One question: the symbols of a file by some pairs of windows, `plain` or as a variant says.

    The file has bars as (figure, day, symbol); ours are given (figure, symbol, day) in int32, as our
    tables are made of a file.
    """

    market: str
    variant: str
    pairs: tuple[Pair, ...]
    is_plain: bool = False

    @classmethod
    def read(cls, text: str) -> Work:
        """Read what `written` wrote."""
        found = json.loads(text)
        return cls(**{**found, "pairs": tuple(map(tuple, found["pairs"]))})

    def written(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds and bytes of one run, and the won at the end of each account, cell after cell."""

    wall: float
    cpu: float
    peak: int
    ends: tuple[float, ...]


type Engine = Callable[[Integers, Work], Sequence[float]]


def run(engine: Engine) -> None:
    """Answer the work of the command line: once small, so that everything is compiled, then as a whole."""
    work = Work.read(sys.argv[1])
    bars = np.load(work.market)
    engine(np.ascontiguousarray(bars[:, :FEW, :FEW]), replace(work, pairs=work.pairs[:2]))
    wall, cpu, times = perf_counter(), process_time(), 0
    ends: tuple[float, ...] = ()
    while not times or perf_counter() - wall < LONG_ENOUGH:
        ends = tuple(map(float, engine(bars, work)))
        times += 1
    wall, cpu = (perf_counter() - wall) / times, (process_time() - cpu) / times
    Path(sys.argv[2]).write_text(json.dumps(asdict(Answer(wall, cpu, _peak(), ends))), "utf-8")


def _peak() -> int:
    """Give the bytes that this program itself ever had; what `getrusage` tells is also of who started it."""
    status = Path("/proc/self/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * KIBIBYTE


def signals(bars: Integers, pair: Pair) -> tuple[Flags, Flags]:
    """Decide at every close of every symbol as `krx-daily` says: entries and exits as (day, symbol)."""
    fast, slow = pair
    gap = _sums(bars[CLOSE], fast) * slow - _sums(bars[CLOSE], slow) * fast
    is_loud = bars[VOLUME] * VOLUME_WINDOW > _sums(bars[VOLUME], VOLUME_WINDOW)
    up, down = np.zeros(gap.shape, np.bool_), np.zeros(gap.shape, np.bool_)
    up[slow:] = (gap[slow - 1 : -1] <= 0) & (gap[slow:] > 0) & is_loud[slow:]
    down[slow:] = (gap[slow - 1 : -1] >= 0) & (gap[slow:] < 0)
    return up, down


def _sums(values: Integers, window: int) -> Integers:
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
