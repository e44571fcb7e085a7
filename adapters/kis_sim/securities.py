"""This is the list of what can be traded in the simulator: names and boards, by day."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.kis_sim.histories import DATA_FOLDER, History
from trading.errors import BadInput
from trading.instruments import Instrument, Market, Symbol

TABLE: Final = DATA_FOLDER / "instruments.csv"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a symbol is called and where it trades from a day on."""

    name: str
    english: str
    market: Market
    since: date


class Securities:
    """Every symbol that has prices, with its board on any day."""

    def __init__(self, listings: Mapping[str, tuple[Listing, ...]]) -> None:
        self._listings = listings

    @classmethod
    def of(cls, history: History, table: Path = TABLE) -> Securities:
        """Take the symbols of `history`; the file's own names win over our table, the rest is guessed."""
        known = _read(table)
        found: dict[str, tuple[Listing, ...]] = {}
        for symbol, bars in history.days.items():
            name, market = history.names.get(symbol, ("", ""))
            if bars and (name or market or symbol not in known):
                board = _market(symbol, market or Market.KOSPI)
                found[symbol] = (Listing(name or symbol, symbol, board, bars[0].day),)
            elif bars:
                found[symbol] = known[symbol]
        return cls(found)

    def symbols(self) -> tuple[str, ...]:
        """Return every symbol, in order."""
        return tuple(sorted(self._listings))

    def listing(self, symbol: str, on: date) -> Listing | None:
        """Return what holds on `on`, None for a symbol that is not traded here."""
        rows = self._listings.get(symbol, ())
        return next((row for row in reversed(rows) if on >= row.since), rows[0] if rows else None)

    def instrument(self, symbol: str, on: date) -> Instrument | None:
        """Return the instrument as it was on `on`."""
        row = self.listing(symbol, on)
        if row is None:
            return None
        return Instrument(Symbol(symbol), row.name, row.market, listed_on=self.listed_on(symbol))

    def listed_on(self, symbol: str) -> date:
        """Return the first day of a known symbol."""
        return self._listings[symbol][0].since


def isin(symbol: str) -> str:
    """Return the standard code (KR7, six characters, 00, check digit) of an ordinary share."""
    body = f"KR7{symbol}00"
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = "".join(
        str(int(digit) * (2 if place % 2 == 0 else 1)) for place, digit in enumerate(digits[::-1])
    )
    return f"{body}{-sum(map(int, doubled)) % 10}"


def _market(symbol: str, text: str) -> Market:
    try:
        return Market(text.upper())
    except ValueError as problem:
        raise BadInput(f"market of {symbol}", text, "KOSPI, KOSDAQ or KONEX") from problem


def _read(table: Path) -> dict[str, tuple[Listing, ...]]:
    found: dict[str, list[Listing]] = defaultdict(list)
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            listing = Listing(
                row["name"],
                row["english"],
                Market(row["market"]),
                date.fromisoformat(row["since"]),
            )
            found[row["symbol"]].append(listing)
    return {symbol: tuple(rows) for symbol, rows in found.items()}
