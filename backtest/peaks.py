"""This is how high a price has been since a holding began, as daily bars tell it: what a trailing stop follows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from strategies.holdings import Entry
from trading.bars import Bar
from trading.sessions import seoul_date, session_of

AT_THE_OPENING: Final = timedelta(minutes=1)
"""What fills within a minute of the opening was held all day."""


def highest_before(day: date, entry: Entry, bars: Iterable[Bar]) -> int:
    """Give the highest price in won up to the day before, at least what was paid.

    Of a first day that was entered after the opening its close counts: the high may have come before.
    """
    first = seoul_date(entry.at)
    is_late = entry.at > session_of(first).opens_at + AT_THE_OPENING
    since = [bar for bar in bars if first <= bar.trading_day < day]
    highs = (b.close if is_late and b.trading_day == first else b.high for b in since)
    return max([entry.paid, *highs])
