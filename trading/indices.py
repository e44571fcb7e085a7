"""This is the level of a market index by day, in points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


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
