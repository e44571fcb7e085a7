"""This is how quick research has its bars: seven million of them from the cache beside the database, and how large that is.

The bars are generated; only their versions are asked for anew each time, as the database's are. What the cache gives
must be what went in, to the last figure, else there is no figure here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from adapters.bar_cache import CachedBars, Columns, open_bars
from backtest.tables import BarTable
from bench.figures import Aim, Samples, Section
from bench.markets import DAYS, SEED, a_market
from bench.places import Place
from bench.variants import SYMBOLS
from trading.bars import Interval
from trading.instruments import Symbol

LONGEST: Final = 1.0
"""Seconds."""
LARGEST: Final = 1_200.0
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Generated:
    """A market as the database would tell it; `version` is that of every series."""

    table: BarTable
    version: str

    def versions(self, interval: Interval) -> Mapping[Symbol, str]:
        """Give the version of each series."""
        del interval
        return dict.fromkeys(self.table.symbols, self.version)

    def read(self, symbols: Iterable[Symbol], interval: Interval) -> Mapping[Symbol, Columns]:
        """Give whole series."""
        del interval
        bars, rows = self.table.bars, self.table.rows
        return {symbol: bars[:, rows(symbol)].astype(np.int64) for symbol in symbols}


async def measure_caches(place: Place, samples: int) -> Section:
    """Fill the cache twice, then open it so many times."""
    market = a_market(SYMBOLS)
    folder = place.home / "bars"
    series = [_Generated(market, version) for version in ("1", "2")]
    filled = [_open(place, each, market) for each in series]
    opened = [_open(place, series[-1], market) for _ in range(samples)]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / MEGABYTE
    return Section(
        "Bars from the cache",
        [Samples("opened", opened), Samples("filled anew", filled)],
        [
            Aim("the slowest", max(opened), LONGEST),
            Aim("on the disk", size, LARGEST, unit="MB"),
        ],
        [f"Wall time. Seed {SEED}; {SYMBOLS:,} symbols x {DAYS:,} days = {market.size:,} bars."],
    )


def _open(place: Place, series: _Generated, market: BarTable) -> float:
    began = perf_counter()
    found = open_bars(place.home / "bars", series)
    took = perf_counter() - began
    _require_same(found, market)
    return took


def _require_same(found: CachedBars, market: BarTable) -> None:
    """Compare every figure.

    Raises:
        RuntimeError: when one differs.
    """
    if found.symbols != market.symbols or not np.array_equal(found.bars, market.bars):
        raise RuntimeError("the cache gives other bars than it was given")
