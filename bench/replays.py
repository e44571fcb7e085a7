"""This is how quick an exact backtest is: ten years of one symbol through the pipeline, and a cold start of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import Final

import numpy as np

from adapters.bar_files import bars_of
from adapters.postgres import PostgresStores
from backtest.conventions import plan_of, run_convention, span_of
from backtest.options import BacktestOptions, convention
from backtest.timetables import EveryDay
from bench.figures import Aim, Samples, Section
from bench.places import ACCOUNT, Place
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
    """Replay so many times, and start the command on a file and on the place's database."""
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
    starts = _cold_starts(place)
    rate = bars / sum(replays)
    return Section(
        title="Exact backtest of one symbol",
        samples=(
            Samples(f"{BARS} bars, {rate:,.0f} bars/s", replays),
            *(Samples(f"cold start, {name}", times) for name, times in starts.items()),
        ),
        aims=(
            Aim(
                f"{BARS_PER_SECOND:,} bars/s, the mean",
                sum(replays) / samples,
                BARS / BARS_PER_SECOND,
            ),
            *(
                Aim(f"cold start, {name}, the median", median(t), COLD)
                for name, t in starts.items()
            ),
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


def _cold_starts(place: Place) -> dict[str, list[float]]:
    """Time the command from the start of its process to its end, on a file and on the database."""
    columns = some_columns(0)
    place.home.mkdir(parents=True, exist_ok=True)
    file = place.home / "bars.csv"
    _write_csv(file, columns)
    _store(place, columns)
    asked = {"file": ("--data", str(file)), "database": ("--symbols", SYMBOL)}
    return {name: [_start(place, *words) for _ in range(STARTS)] for name, words in asked.items()}


def _write_csv(file: Path, columns: BarColumns) -> None:
    rows = zip(*(getattr(columns, name).tolist() for name in COLUMNS), strict=True)
    lines = [f"{SYMBOL},{date.fromordinal(day)},{','.join(map(str, rest))}" for day, *rest in rows]
    file.write_text("\n".join(("symbol,date,open,high,low,close,volume", *lines)), "utf-8")


def _store(place: Place, columns: BarColumns) -> None:
    rows = tuple(getattr(columns, name) for name in COLUMNS)
    opened = PostgresStores(place.database_url, channel="dev", account=ACCOUNT)
    with closing(opened) as stores, stores.begin() as work:
        work.bars.upsert(tuple(bars_of(SYMBOL, rows)))


def _start(place: Place, *asked: str) -> float:
    words = ("--kind", "moving_average_cross", "--convention", "krx-daily", "--json", *asked)
    variables = {
        "MAEMAE_HOME": str(place.home),
        "MAEMAE_CHANNEL": "dev",
        "MAEMAE_DATABASE_URL": place.database_url,
        "MAEMAE_ACCOUNT_NUMBER": ACCOUNT,
    }
    code = "import sys; from deployments.cli import main; sys.exit(main())"
    began = perf_counter()
    subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", code, "backtest", *words),
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | variables,
    )
    return perf_counter() - began
