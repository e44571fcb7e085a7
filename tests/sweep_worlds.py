"""This is what sweeps are tried on in tests: two symbols that wander from one seed, and a cross with few parameters."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

import numpy as np

from adapters.calendars import XkrxCalendar
from backtest.cells import Question, Trial, Universe, Window
from backtest.conventions import plan_of
from backtest.options import BacktestOptions, MarketRules
from backtest.spaces import Cell, Space, Value, read_axis
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from tests.builders import LG_CHEM, SAMSUNG
from trading.instruments import Symbol

CALENDAR = XkrxCalendar()
DAYS = CALENDAR.trading_days(date(2018, 1, 2), date(2018, 10, 31))
SPACE = Space((read_axis("fast=2,3,5"), read_axis("slow=5:20:5")))
"""Twelve cells; the strategy refuses fast=5 with slow=5."""
SETTINGS = StrategySettings.model_validate(
    {
        "id": "trend",
        "kind": "moving_average_cross",
        "parameters": {"fast": 2, "slow": 5, "volume_window": 1, "volume_ratio": None},
        "symbols": [LG_CHEM, SAMSUNG],
    }
)
OPTIONS = BacktestOptions(market=MarketRules.NONE, cash=10_000_000)


def wander(seed: int, start: int = 10_000) -> BarColumns:
    """Give bars on all of DAYS."""
    random = Random(seed)  # noqa: S311 - no secret
    close = np.empty(len(DAYS), dtype=np.int64)
    price = start
    for place in range(len(DAYS)):
        price = max(round(price * (1 + random.gauss(0.0005, 0.02))), 100)
        close[place] = price
    opened = np.concatenate([[start], close[:-1]])
    days = np.array([day.toordinal() for day in DAYS])
    high, low = np.maximum(opened, close) + 20, np.minimum(opened, close) - 20
    return BarColumns(days, opened, high, low, close, np.full(len(DAYS), 100_000))


UNIVERSE: dict[Symbol, BarColumns] = {LG_CHEM: wander(1), SAMSUNG: wander(2)}
WHOLE = Window(DAYS[0], DAYS[-1])


def write_bars(path: Path) -> Path:
    """Write UNIVERSE as a CSV file and give its path."""
    rows = ["symbol,date,open,high,low,close,volume"]
    for symbol, bars in UNIVERSE.items():
        columns = zip(DAYS, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
        rows += [",".join(map(str, (symbol, *figures))) for figures in columns]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def a_question(universe: Universe = UNIVERSE, options: BacktestOptions = OPTIONS) -> Question:
    """Ask the cross of SETTINGS."""
    plan = plan_of(options, SETTINGS, first=DAYS[0], last=DAYS[-1])
    return Question(plan, universe, CALENDAR)


def trial(window: Window = WHOLE, **cell: Value) -> Trial:
    """Give a cell over a window."""
    found: Cell = {"fast": 2, "slow": 5} | cell
    return Trial(window, found)


def changed_after(day: date, seed: int) -> dict[Symbol, BarColumns]:
    """Give the same bars up to `day`, and others after it."""
    found = {}
    for symbol, bars in UNIVERSE.items():
        other = wander(seed, start=500_000)
        known = int(np.searchsorted(bars.days, day.toordinal(), side="right"))
        columns = (
            np.concatenate([getattr(bars, name)[:known], getattr(other, name)[known:]])
            for name in ("days", "open", "high", "low", "close", "volume")
        )
        found[symbol] = BarColumns(*columns)
    return found
