"""This is where charts get a price history from in tests: a wave of daily bars without weekends."""

from __future__ import annotations

from datetime import date, timedelta
from math import sin

from tests.builders import seoul
from tests.report_days import THE_DAY
from trading.bars import Bar, Interval
from trading.instruments import Symbol


def weekdays(count: int) -> list[date]:
    """Give the last `count` weekdays up to THE_DAY, oldest first."""
    days = (THE_DAY - timedelta(days=back) for back in range(2 * count + 7))
    return sorted(day for day in days if day.isoweekday() < 6)[-count:]


def some_bars(symbol: Symbol, count: int) -> tuple[Bar, ...]:
    """Give `count` daily bars that end on THE_DAY, rising and falling."""
    return tuple(_bar(symbol, place, day) for place, day in enumerate(weekdays(count)))


def _bar(symbol: Symbol, place: int, day: date) -> Bar:
    opened, closed = (150_000 + round(9_000 * sin((place + step) / 4)) for step in (0, 1))
    return Bar(
        symbol,
        Interval.DAY,
        day,
        seoul(day, "00:00"),
        open=opened,
        high=max(opened, closed) + 1_000,
        low=min(opened, closed) - 1_000,
        close=closed,
        volume=100_000 + place,
    )
