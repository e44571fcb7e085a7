"""This is the level of a market index by day, in points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter


class Index(StrEnum):
    """An index that accounts are compared with."""

    KOSPI = "KOSPI"


@dataclass(frozen=True, slots=True)
class IndexBar:
    """One day of an index, in points with two decimals."""

    index: Index
    trading_day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something to hold the account against: its level at the closes of some days, oldest first."""

    name: str
    closes: Sequence[tuple[date, Decimal]]

    @classmethod
    def of(cls, bars: Sequence[IndexBar]) -> Benchmark | None:
        """Take the days of an index; None when there are none."""
        return cls(bars[0].index, [(bar.trading_day, bar.close) for bar in bars]) if bars else None

    def level_on(self, day: date) -> Decimal | None:
        """Give the last level up to `day`, None before the first."""
        place = bisect_right(self.closes, day, key=itemgetter(0))
        return self.closes[place - 1][1] if place else None
