"""This is what is traded: symbols, markets, instruments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from trading.errors import InvalidSymbol

_SYMBOL = re.compile(r"[0-9A-Z]{6}")


class Symbol(str):
    """A KRX short code, six digits or upper-case letters (letters since 2024, e.g. 0126Z0).

    Raises:
        InvalidSymbol: for anything else.
    """

    __slots__ = ()

    def __new__(cls, code: object) -> Self:
        """Validate `code`."""
        if not (isinstance(code, str) and _SYMBOL.fullmatch(code)):
            raise InvalidSymbol("symbol", code, "six characters 0-9 A-Z, e.g. 005930")
        return super().__new__(cls, code)


class Market(StrEnum):
    """The board an instrument is listed on; ticks and taxes depend on it."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"


class InstrumentKind(StrEnum):
    """What sort of security; funds and notes have other ticks and no sell tax."""

    STOCK = "STOCK"
    ETF = "ETF"
    ETN = "ETN"
    ELW = "ELW"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed security and its standing with the exchange."""

    symbol: Symbol
    name: str
    market: Market = Market.KOSPI
    kind: InstrumentKind = InstrumentKind.STOCK
    is_halted: bool = False
    is_administrative: bool = False
    is_liquidation: bool = False
    listed_on: date | None = None
    delisted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """From which day on a security could be traded, and from which on no more; None for an open end."""

    listed_on: date | None = None
    delisted_on: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether it could be traded on a day."""
        is_there = self.listed_on is None or self.listed_on <= day
        return is_there and (self.delisted_on is None or day < self.delisted_on)
