"""This is price history: one bar per symbol and interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.instruments import Symbol


class Interval(StrEnum):
    """The span that a bar covers."""

    MINUTE = "1m"
    DAY = "1d"


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of one symbol over one interval, in whole won and whole shares.

    `at` is aware UTC: the END of a minute bar (KRX labels 09:01 to 15:20, then 15:30), midnight KST of the
    trading day for a daily bar. `is_provisional` until the closing figures were read again (volume is not
    final at 15:40). `is_adjusted` series may be off by one won after rounding; raw ones may not.
    """

    symbol: Symbol
    interval: Interval
    trading_day: date
    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int | None = None
    source: str = "kis"
    is_provisional: bool = False
    is_adjusted: bool = True

    @property
    def is_halted(self) -> bool:
        """Whether nothing traded: one of the encodings of a halted day (open 0, or flat without volume)."""
        return self.volume == 0 and (
            self.open == 0 or self.open == self.high == self.low == self.close
        )


@dataclass(frozen=True, slots=True)
class BarGap:
    """A trading day for which a symbol has no bar although it should."""

    symbol: Symbol
    trading_day: date
    reason: str
