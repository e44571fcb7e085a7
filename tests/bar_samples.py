"""This is bars for tests of their review, written as short as they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.calendars import XkrxCalendar
from tests.builders import SAMSUNG, seoul
from trading.bar_faults import Fault
from trading.bar_reviews import BarReview, review_bars
from trading.bars import Bar, Interval
from trading.sessions import KST

CALENDAR = XkrxCalendar()

type FourPrices = tuple[int, int, int, int]
"""Open, high, low, close."""


def a_bar(day: str, prices: FourPrices, volume: int, **changes: Any) -> Bar:
    """Give a daily bar of Samsung from its day and open, high, low, close."""
    trading_day = date.fromisoformat(day)
    at = datetime.combine(trading_day, time(), KST).astimezone(UTC)
    bar = Bar(SAMSUNG, Interval.DAY, trading_day, at, *prices, volume)
    return replace(bar, **changes)


def a_minute(day: date, clock: str, prices: FourPrices, volume: int) -> Bar:
    """Give a raw minute bar of Samsung that ends at `clock`."""
    at = seoul(day, clock)
    return Bar(SAMSUNG, Interval.MINUTE, day, at, *prices, volume, is_adjusted=False)


def flat(price: int) -> FourPrices:
    return price, price, price, price


def review(bars: Sequence[Bar], **changes: Any) -> BarReview:
    """Review the bars of one symbol over their own span, read a week later."""
    days = [bar.trading_day for bar in bars]
    span: dict[str, Any] = {
        "first": min(days, default=date(2025, 1, 2)),
        "last": max(days, default=date(2025, 1, 2)),
        "at": seoul(max(days, default=date(2025, 1, 2)) + timedelta(days=7), "18:00"),
    }
    symbol = bars[0].symbol if bars else SAMSUNG
    return review_bars(symbol, bars, CALENDAR, **span | changes)


def faults(found: BarReview) -> list[Fault]:
    return [refusal.fault for refusal in found.refused]


def missing(found: BarReview) -> list[tuple[str, str]]:
    return [(gap.trading_day.isoformat(), gap.reason) for gap in found.gaps]
