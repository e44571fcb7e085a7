"""This is variants A to D through `maemae`: prices from a seed, both engines, from process start to printed result.

Both engines must print one fingerprint, and the equity of the bare loops to the won, else there is no figure. The exact
one is given samples of B and D. All of D is a sweep.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from adapters.bar_files import read_bars
from adapters.postgres import PostgresStores
from backtest.tables import BarTable
from bench.bare_loops import each, shared
from bench.figures import Aim, Samples, Section
from bench.markets import DAYS, SEED, a_market
from bench.places import ACCOUNT, Place
from bench.variants import PAIR_SYMBOLS, PAIRS, SYMBOLS
from strategies.base import COLUMNS, Integers
from trading.bars import Bar
from trading.instruments import Symbol

CPUS: Final = os.cpu_count() or 1
SCALED: Final = 0.85
"""Of what so many processes could be quicker than one."""
COLD: Final = 1.5
"""Seconds from the start of the process to the printed result."""
PROGRAM: Final = """import sys
from deployments.cli import main
code = main()
sys.stderr.write(open("/proc/self/status").read())
sys.exit(code)"""
"""The command, which tells its memory as well: what waits for a process is told of its own memory, too."""
USUAL: Final = (*("--kind", "moving_average_cross"), *("--convention", "krx-daily"))
NO_RULES: Final = ("--market", "none")
ONE_CASH: Final = (
    *("--cash-split", "shared", "--cash", "100000000"),
    *("--weight", "0.05", "--maximum-holdings", "20"),
)
AXES: Final = ("fast=5:44:1", "slow=50:146:4")
"""All of `PAIRS`."""
CROSS: Final = (20, 60)
B_SAMPLE: Final = 20
D_SAMPLE: Final = 3
D_SYMBOLS: Final = 10
_PEAK: Final = re.compile(rb"VmHWM:\s+(\d+) kB")
_EPOCH: Final = date(1970, 1, 1).toordinal()


async def measure_commands(place: Place, samples: int) -> Section:
    """Run every variant once, A so many times."""
    market = a_market(SYMBOLS)
    with TemporaryDirectory() as folder:
        told = _Commands(Path(folder), market, place.database_url)
        cold = [told.variant_a("exact") for _ in range(samples)]
        usual = [told.variant_a("") for _ in range(samples)]
        stored = [told.variant_a("", is_stored=True) for _ in range(samples)]
        rest = {
            "A, --engine fast": [told.variant_a("fast")],
            "B, fast": [told.variant_b()],
            f"B, exact, {B_SAMPLE} symbols": [told.sample_of_b()],
            "C, fast": [told.variant_c("fast")],
            "C, exact": [told.variant_c("exact")],
            f"D, {D_SAMPLE} cells x both engines": told.sample_of_d(),
            **{f"D, all cells by sweep, {n} processes": [told.variant_d(n)] for n in (1, CPUS)},
        }
    alone, spread = (rest[f"D, all cells by sweep, {n} processes"][0] for n in (1, CPUS))
    return Section(
        "Backtests by the command",
        [
            Samples("A, no engine named", usual),
            Samples("A, from the database", stored),
            Samples("A, --engine exact", cold),
            *(Samples(name, times) for name, times in rest.items()),
        ],
        [
            Aim("A: cold, the median", float(np.median(usual)), COLD),
            Aim("A: cold, from the database", float(np.median(stored)), COLD),
            Aim(
                f"D: {CPUS} processes at least {SCALED * CPUS:.2f} times as quick as one",
                spread,
                alone / CPUS / SCALED,
            ),
        ],
        [
            f"Wall time. Seed {SEED}; {SYMBOLS:,} symbols x {DAYS:,} days; {len(PAIRS):,} pairs x {PAIR_SYMBOLS} symbols.",
            f"B at most {told.peak_of_b / 1024:,.0f} MiB, from reading the file to the printed document.",
            "Equal to the won: bare loops, both engines; one SHA-256 wherever both ran.",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a command printed, after how many seconds it had ended, and the KiB that it had at most."""

    seconds: float
    peak: int
    document: Mapping[str, Any]

    @property
    def equity(self) -> int:
        """Won at the end."""
        return int(self.document["metrics"]["final_equity"])


class _Commands:
    """A folder with files of bars, a database with one symbol's, and the command beside them."""

    def __init__(self, folder: Path, market: BarTable, database_url: str) -> None:
        self._folder, self._market = folder, market
        self._settings = {
            "MAEMAE_HOME": str(folder),
            "MAEMAE_DATABASE_URL": database_url,
            "MAEMAE_ACCOUNT_NUMBER": ACCOUNT,
        }
        self._seen: dict[str, str] = {}
        self.peak_of_b = 0
        self._one, self._all = folder / "one.csv", folder / "all.parquet"
        _write_csv(self._one, market, market.symbols[0])
        _store(database_url, read_bars(self._one)[market.symbols[0]])
        _write_parquet(self._all, market)

    def variant_a(self, engine: str, *, is_stored: bool = False) -> float:
        """Trade one symbol of a CSV file, or of the database."""
        data = None if is_stored else self._one
        asked = ("--symbols", self._market.symbols[0]) if is_stored else ()
        told = self._backtest("A", engine, data, CROSS, *asked)
        _require(told.equity == sum(self._ends(1, CROSS)), "A")
        return told.seconds

    def variant_b(self) -> float:
        """Trade all symbols, each with its own cash."""
        told = self._backtest("B", "fast", self._all, CROSS)
        self.peak_of_b = told.peak
        _require(told.equity == sum(self._ends(SYMBOLS, CROSS)), "B")
        return told.seconds

    def sample_of_b(self) -> float:
        """Trade some symbols with both engines; give the exact one's seconds."""
        random = np.random.default_rng(SEED)
        chosen = sorted(random.choice(SYMBOLS, B_SAMPLE, replace=False).tolist())
        asked = ("--symbols", ",".join(self._market.symbols[k] for k in chosen))
        told = [self._backtest("B sample", e, self._all, CROSS, *asked) for e in ("fast", "exact")]
        ends = self._ends(SYMBOLS, CROSS)
        _require(told[0].equity == sum(ends[k] for k in chosen), "sample of B")
        return told[1].seconds

    def variant_c(self, engine: str) -> float:
        """Trade all symbols with one cash."""
        told = self._backtest("C", engine, self._all, CROSS, *ONE_CASH)
        _require(told.equity == shared(self._market.bars, DAYS, *CROSS), "C")
        return told.seconds

    def sample_of_d(self) -> list[float]:
        """Trade some cells on a hundred symbols with the fast engine, on a few with both."""
        random = np.random.default_rng(SEED)
        seconds = []
        for p in random.choice(len(PAIRS), D_SAMPLE, replace=False).tolist():
            pair = PAIRS[p]
            symbols = ",".join(self._market.symbols[:PAIR_SYMBOLS])
            told = self._backtest(f"D {pair}", "fast", self._all, pair, "--symbols", symbols)
            _require(told.equity == sum(self._ends(PAIR_SYMBOLS, pair)), f"D {pair}")
            few = ",".join(self._market.symbols[:D_SYMBOLS])
            both = [
                self._backtest(f"D few {pair}", engine, self._all, pair, "--symbols", few)
                for engine in ("fast", "exact")
            ]
            seconds += [told.seconds, *(each.seconds for each in both)]
        return seconds

    def variant_d(self, workers: int) -> float:
        """Trade every cell on a hundred symbols, in so many processes."""
        shutil.rmtree(self._folder / "sweeps", ignore_errors=True)  # nothing is finished
        symbols = ",".join(self._market.symbols[:PAIR_SYMBOLS])
        asked = (*AXES, *USUAL, *NO_RULES, "--symbols", symbols, "--data", str(self._all))
        told = self._run("sweep", *asked, "--workers", str(workers), "--json")
        rows = told.document["rows"]
        _require(len(rows) == len(PAIRS), "D: rows")
        for row in rows:
            pair = int(row["fast"]), int(row["slow"])
            _require(int(row["final_equity"]) == sum(self._ends(PAIR_SYMBOLS, pair)), f"D {pair}")
        return told.seconds

    def _backtest(
        self, name: str, engine: str, data: Path | None, pair: tuple[int, int], *more: str
    ) -> _Told:
        """Run the command, over the database without a file.

        Raises:
            RuntimeError: when its fingerprint is not that of the run of this name before.
        """
        chosen = ("--engine", engine) if engine else ()
        windows = ("--set", f"fast={pair[0]}", "--set", f"slow={pair[1]}")
        file = () if data is None else ("--data", str(data))
        asked = (*USUAL, *windows, *NO_RULES, *chosen, *file, *more, "--json")
        told = self._run("backtest", *asked)
        digest = told.document["sha256"]
        _require(self._seen.setdefault(name, digest) == digest, f"{name}: fingerprint")
        return told

    def _run(self, *words: str) -> _Told:
        began = perf_counter()
        ended = subprocess.run(  # noqa: S603 - our own words
            (sys.executable, "-c", PROGRAM, *words),
            capture_output=True,
            env=os.environ | self._settings,
            check=True,
        )
        seconds = perf_counter() - began
        (peak,) = _PEAK.findall(ended.stderr)
        return _Told(seconds, int(peak), json.loads(ended.stdout))

    def _ends(self, symbols: int, pair: tuple[int, int]) -> Sequence[int]:
        """Give what the bare loop's accounts are worth at the last close."""
        starts = self._market.starts[: symbols + 1]
        ends: Integers = np.empty((symbols, 2), dtype=np.int64)
        each(self._market.bars, starts, *pair, ends)
        worth: list[int] = (ends[:, 0] + ends[:, 1] * self._market.bars[4, starts[1:] - 1]).tolist()
        return worth


def _require(is_equal: bool, what: str) -> None:  # noqa: FBT001 - what it is about
    if not is_equal:
        raise RuntimeError(f"not equal: {what}")


def _store(database_url: str, bars: Sequence[Bar]) -> None:
    with (
        closing(PostgresStores(database_url, channel="dev", account=ACCOUNT)) as stores,
        stores.begin() as work,
    ):
        work.bars.upsert(bars)


def _write_csv(path: Path, market: BarTable, symbol: Symbol) -> None:
    rows = zip(*market.bars[:, market.rows(symbol)].tolist(), strict=True)
    lines = [f"{symbol},{date.fromordinal(day)},{','.join(map(str, rest))}" for day, *rest in rows]
    path.write_text("\n".join(("symbol,date,open,high,low,close,volume", *lines, "")), "utf-8")


def _write_parquet(path: Path, market: BarTable) -> None:
    counts = np.diff(market.starts).tolist()
    names = [name for name, count in zip(market.symbols, counts, strict=True) for _ in range(count)]
    days = Array.from_numpy((market.bars[0] - _EPOCH).astype(np.int32)).cast(DataType.date32())
    figures: dict[str, Any] = {
        name: Array.from_numpy(row.astype(np.int64))
        for name, row in zip(COLUMNS[1:], market.bars[1:], strict=True)
    }
    symbols = Array(names, type=DataType.utf8())
    write_parquet(Table.from_pydict({"symbol": symbols, "date": days, **figures}), str(path))
