"""This is how high a price has been since a position was entered, from the bars that are stored."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from adapters.stores import UnitOfWork
from strategies.holdings import Entry
from tasks.scales import scale_of
from trading.bars import Interval
from trading.instruments import Symbol
from trading.sessions import seoul_date

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def highest_since(work: UnitOfWork, symbol: Symbol, entry: Entry, today: date) -> int:
    """Give the highest price in won, on today's scale as `entry` is: at least what was paid, then whole minutes of the
    first day and of today, and the days between.
    """
    first = seoul_date(entry.at)
    days = work.bars.between(symbol, Interval.DAY, first=first + _DAY, last=today - _DAY)
    scales = {first: scale_of(work, symbol, first), today: Fraction(1)}
    minutes = [
        int(bar.high * scale)
        for day, scale in scales.items()
        for bar in work.bars.between(symbol, Interval.MINUTE, first=day, last=day)
        if bar.at - _MINUTE >= entry.at
    ]
    return max([entry.paid, *(bar.high for bar in days), *minutes])
