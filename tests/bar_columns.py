"""This is where tests get columns and bars of daily prices from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from strategies.base import BarColumns
from tests.builders import LG_CHEM, seoul
from trading.bars import Bar, Interval
from trading.instruments import Symbol

A_MONDAY = date(2018, 1, 1)


def columns_of(closes: Sequence[int], volumes: Sequence[int] | None = None) -> BarColumns:
    """Give columns that close so, on consecutive days, every price of a day the same."""
    price = np.array(closes, dtype=np.int64)
    traded = np.array(volumes or [1_000] * len(closes), dtype=np.int64)
    days = np.arange(A_MONDAY.toordinal(), A_MONDAY.toordinal() + len(closes), dtype=np.int64)
    return BarColumns(days, price, price, price, price, traded)


def a_bar(day: date, close: int, **changes: Any) -> Bar:
    """Give a daily bar of LG Chem that opened, stood and closed at `close`, with 1,000 shares."""
    fields: dict[str, Any] = {
        "symbol": LG_CHEM,
        "interval": Interval.DAY,
        "trading_day": day,
        "at": seoul(day, "00:00"),
        "open": close,
        "high": close,
        "low": close,
        "close": close,
        "volume": 1_000,
    }
    return Bar(**fields | changes)


def bars_of(
    closes: Sequence[int], *, first: date = A_MONDAY, symbol: Symbol = LG_CHEM
) -> list[Bar]:
    """Give bars that close so, on consecutive calendar days from `first`."""
    return [
        a_bar(first + timedelta(days=i), close, symbol=symbol) for i, close in enumerate(closes)
    ]
