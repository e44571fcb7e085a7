"""This is where tests of conventions get bars, a strategy of three closes and the fills from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from adapters.calendars import XkrxCalendar
from backtest.conventions import plan_of, run_convention
from backtest.options import BacktestOptions, MarketRules, SizingKind
from backtest.outcomes import OutcomeFill, outcome_of
from backtest.results import ReplayResult
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from tests.builders import LG_CHEM
from trading.instruments import Instrument, Symbol

CALENDAR: Final = XkrxCalendar()
DAYS: Final = CALENDAR.trading_days(date(2018, 1, 2), date(2018, 3, 30))

FREE: Final = BacktestOptions(
    commission_rate=BacktestOptions().slippage,
    tax_rate=BacktestOptions().slippage,
    market=MarketRules.NONE,
)
"""No costs, no rules of the exchange, 10,000,000 won."""
TEN: Final = replace(FREE, sizing=SizingKind.QUANTITY, quantity=10)
STOPPED: Final = replace(TEN, stop_loss=Decimal("0.05"), take_profit=Decimal("0.10"))

type Row = tuple[int, ...]
"""Open, high, low, close, and volume where it matters."""


def flat(price: int, volume: int = 1_000_000) -> Row:
    """Give a bar that stood still."""
    return (price, price, price, price, volume)


RISE: Final = (flat(10_000), flat(10_000), flat(10_100))
"""Three closes after the last of which the trend is bought."""
FALL: Final = (10_050, 10_060, 9_990, 10_000)
"""A bar whose close is below the 10,100 of the rise, so that the trend is left."""
BOUGHT: Final = (10_000, 10_150, 10_000, 10_150)
"""Bought at the opening of 10,000: the stop is floor(9,500), the target ceil(11,000)."""


def columns_of(rows: Sequence[Row | None]) -> BarColumns:
    """Give a bar for each trading day of 2018; None leaves the day out."""
    table = [
        (day.toordinal(), *row[:4], row[4] if len(row) > 4 else 1_000_000)
        for day, row in zip(DAYS, rows, strict=False)
        if row is not None
    ]
    return BarColumns(*np.array(table, dtype=np.int64).T)


def trend(*symbols: Symbol, **parameters: Any) -> StrategySettings:
    """Give a strategy that enters when a close is above the one before and leaves when it is below."""
    document: dict[str, Any] = {
        "id": "trend",
        "kind": "moving_average_cross",
        "parameters": {"fast": 1, "slow": 2, "volume_ratio": None, "volume_window": 1} | parameters,
        "symbols": list(symbols),
    }
    return StrategySettings.model_validate(document)


def run(
    rows: Mapping[Symbol, Sequence[Row | None]],
    options: BacktestOptions,
    *,
    first: date = DAYS[0],
    last: date = DAYS[-1],
    instruments: Mapping[Symbol, Instrument] | None = None,
) -> ReplayResult:
    """Replay by convention."""
    universe = {symbol: columns_of(each) for symbol, each in rows.items()}
    plan = plan_of(options, trend(*universe), first=first, last=last, instruments=instruments)
    return run_convention(universe, plan, CALENDAR)


def trades(options: BacktestOptions, *after: Row | None, **changes: Any) -> list[tuple[Any, ...]]:
    """Give (day's number from the rise on, side, quantity, price) of what a rise and the bars `after` it lead to."""
    result = run({LG_CHEM: [*RISE, *after]}, replace(options, **changes))
    return [told(fill) for fill in outcome_of(result).fills]


def told(fill: OutcomeFill) -> tuple[int, str, int, int]:
    """Tell a fill; day 0 is the one after the rise."""
    return (
        DAYS.index(fill.trading_day) - len(RISE),
        fill.side.value.lower(),
        fill.quantity,
        fill.price,
    )
