"""This is where tests get days of minute bars from: wandering prices, some minutes without a trade."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from strategies.base import BarColumns
from tests.builders import SAMSUNG
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.sessions import session_of

MINUTES_TO_THE_AUCTION = 380
"""From the opening; then one bar with the closing auction."""
A_SESSION = 390


def day_of(
    day: date, closes: Sequence[int], *, symbol: Symbol = SAMSUNG, first: int = 1
) -> list[Bar]:
    """Give bars that close so, one a minute, the first ending `first` minutes after the opening."""
    opens_at = session_of(day).opens_at
    return [
        Bar(
            symbol=symbol,
            interval=Interval.MINUTE,
            trading_day=day,
            at=opens_at + timedelta(minutes=first + number),
            open=close,
            high=close,
            low=close,
            close=close,
            volume=10,
        )
        for number, close in enumerate(closes)
    ]


def minute_columns(days: Sequence[date], *, seed: int, silent: float = 0.05) -> BarColumns:
    """Give columns of whole sessions; a minute is `silent` with that chance and has no bar then."""
    random = np.random.default_rng(seed)
    after = np.append(np.arange(1, MINUTES_TO_THE_AUCTION + 1), A_SESSION)
    rows = [
        (day.toordinal(), _opening(day) + minute)
        for day in days
        for minute in after
        if random.random() >= silent
    ]
    times = np.array(rows, dtype=np.int64)
    count = len(rows)
    close = np.round(50_000 * np.exp(np.cumsum(random.normal(0, 0.001, count)))).astype(np.int64)
    opened = np.concatenate([close[:1], close[:-1]])
    spread = random.integers(0, 50, (2, count))
    return BarColumns(
        days=times[:, 0],
        open=opened,
        high=np.maximum(opened, close) + spread[0],
        low=np.minimum(opened, close) - spread[1],
        close=close,
        volume=random.integers(1, 900, count),
        minutes=times[:, 1],
    )


def _opening(day: date) -> int:
    opens_at = session_of(day).opens_at
    return (opens_at.hour * 60 + opens_at.minute + 9 * 60) % (24 * 60)
