"""This is markets for backtests to be measured on: whole prices that wander, the same from the same seed."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from backtest.tables import BarTable, Figures
from trading.instruments import Symbol

SEED: Final = 20_261_123
DAYS: Final = 2_500
_FIRST: Final = date(2016, 1, 4).toordinal()
_SATURDAY: Final = 5


def a_market(symbols: int, days: int = DAYS, seed: int = SEED) -> BarTable:
    """Give so many symbols with a bar on each of so many weekdays."""
    random = np.random.default_rng(seed)
    ordinals = np.arange(_FIRST, _FIRST + days * 2)
    weekdays = ordinals[(ordinals - _FIRST) % 7 < _SATURDAY][:days]
    bars: Figures = np.empty((6, symbols * days), dtype=np.int32)
    for k in range(symbols):
        bars[:, k * days : (k + 1) * days] = _bars(random, weekdays)
    names = tuple(Symbol(f"{number:06d}") for number in range(1, symbols + 1))
    return BarTable(names, np.arange(0, symbols * days + 1, days), bars)


def _bars(random: np.random.Generator, days: np.ndarray) -> np.ndarray:
    count = len(days)
    wander = np.cumsum(random.normal(0.0002, 0.022, count))
    close = np.maximum((random.integers(5_000, 200_000) * np.exp(wander)).astype(np.int64), 100)
    opening = np.maximum((close * random.normal(1, 0.008, count)).astype(np.int64), 1)
    reach = np.abs(random.normal(0, 0.012, (2, count)))
    high = np.maximum(opening, close) + (close * reach[0]).astype(np.int64)
    low = np.maximum(np.minimum(opening, close) - (close * reach[1]).astype(np.int64), 1)
    return np.stack((days, opening, high, low, close, random.integers(1_000, 3_000_000, count)))
