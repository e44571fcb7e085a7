"""This is how quick an exact backtest is: ten years of one symbol through the pipeline, and a cold start of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from typing import Final

import numpy as np

from backtest.conventions import plan_of, run_convention, span_of
from backtest.options import BacktestOptions, convention
from backtest.timetables import EveryDay
from bench.figures import Aim, Samples, Section
from bench.places import Place
from strategies.base import COLUMNS, BarColumns
from strategies.settings import StrategySettings
from trading.instruments import Symbol

BARS: Final = 2_500
BARS_PER_SECOND: Final = 200_000
COLD: Final = 1.5
"""Seconds from the start of the process to the printed result."""
STARTS: Final = 5
SEED: Final = 20261123
SYMBOL: Final = Symbol("000001")
NOTES: Final = (
    f"Variant A: {BARS} daily bars from seed {SEED}, MA 50/200 with volume filter, krx-daily, CPU time of the thread.",
    "Several histories in turn, so that few and many trades both count; columns are there, decisions are not.",
)


async def measure_replays(place: Place, samples: int) -> Section:
    """Replay and start so many times; it is pure and needs no place."""
    del place
    options = convention("krx-daily") or BacktestOptions()
    settings = StrategySettings(id="cross", kind="moving_average_cross", symbols=(SYMBOL,))
    replays, bars = [], 0
    for number in range(samples):
        columns = some_columns(number)
        first, last = span_of(columns)
        plan = plan_of(options, settings, first=first, last=last)
        began = thread_time()
        run_convention({SYMBOL: columns}, plan, EveryDay())
        replays.append(thread_time() - began)
        bars += len(columns)
    starts = [_cold_start() for _ in range(STARTS)]
    rate = bars / sum(replays)
    return Section(
        title="Exact backtest of one symbol",
        samples=(
            Samples(f"{BARS} bars, {rate:,.0f} bars/s", replays),
            Samples("cold start", starts),
        ),
        aims=(
            Aim(
                f"{BARS_PER_SECOND:,} bars/s, the mean",
                sum(replays) / samples,
                BARS / BARS_PER_SECOND,
            ),
            Aim("cold start, the best", min(starts), COLD),
        ),
        notes=NOTES,
    )


def some_columns(number: int) -> BarColumns:
    """Give ten years of one random symbol, prices in whole won."""
    dice = np.random.default_rng([SEED, number])
    close = (20_000 * np.exp(np.cumsum(dice.normal(0.0003, 0.02, BARS)))).astype(np.int64) + 100
    opened = (close * (1 + dice.normal(0, 0.008, BARS))).astype(np.int64)
    high = np.maximum(opened, close) + dice.integers(0, 300, BARS)
    low = np.maximum(1, np.minimum(opened, close) - dice.integers(0, 300, BARS))
    every = (date(2016, 1, 4) + timedelta(days=n) for n in range(2 * BARS))
    days = [day.toordinal() for day in every if day.isoweekday() < 6][:BARS]  # noqa: PLR2004 - Saturday
    return BarColumns(np.array(days), opened, high, low, close, dice.integers(1_000, 99_999, BARS))


def _cold_start() -> float:
    """Time the command from the start of its process to its end."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bars.csv"
        columns = some_columns(0)
        rows = zip(*(getattr(columns, name).tolist() for name in COLUMNS), strict=True)
        lines = [
            f"{SYMBOL},{date.fromordinal(day)},{','.join(map(str, rest))}" for day, *rest in rows
        ]
        file.write_text("\n".join(("symbol,date,open,high,low,close,volume", *lines)), "utf-8")
        words = ("--kind", "moving_average_cross", "--convention", "krx-daily", "--json", "--data")
        code = "import sys; from deployments.cli import main; sys.exit(main())"
        began = perf_counter()
        subprocess.run(  # noqa: S603 - our own words
            (sys.executable, "-c", code, "backtest", *words, str(file)),
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"MAEMAE_HOME": folder},
        )
        return perf_counter() - began
