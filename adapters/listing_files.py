"""This is which symbols were listed when, from a CSV file: symbol, listed_on, delisted_on, an empty day for an open end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from adapters.csv_files import Row, day_of, header_of, rows_of
from trading.errors import BadInput, InvalidSymbol
from trading.instruments import Listing, Symbol

_COLUMNS: Final = ("symbol", "listed_on", "delisted_on")


def read_listings(path: Path) -> dict[Symbol, Listing]:
    """Read the file; on `delisted_on` and after it nothing trades any more. Further columns do no harm.

    Raises:
        BadInput: naming file, row and column, and what would be right.
    """
    if not path.is_file():
        raise BadInput("--listings", str(path), f"a CSV file with {', '.join(_COLUMNS)}")
    found: dict[Symbol, Listing] = {}
    columns = header_of(path)
    if missing := [name for name in _COLUMNS if name not in columns]:
        expected = f"the columns {', '.join(_COLUMNS)}"
        raise BadInput(f"{path.name}: columns", f"no {', '.join(missing)}", expected)
    for line, row in rows_of(path):
        where = f"{path.name} row {line}"
        symbol, listing = _listing(row, where)
        if symbol in found:
            raise BadInput(f"{where}: symbol", symbol, "each symbol once")
        found[symbol] = listing
    return found


def _listing(row: Row, where: str) -> tuple[Symbol, Listing]:
    listing = Listing(_day(row, "listed_on", where), _day(row, "delisted_on", where))
    if listing.listed_on and listing.delisted_on and listing.delisted_on <= listing.listed_on:
        expected = f"a day after {listing.listed_on.isoformat()}"
        raise BadInput(f"{where}: delisted_on", listing.delisted_on.isoformat(), expected)
    try:
        return Symbol((row["symbol"] or "").strip()), listing
    except InvalidSymbol as error:
        raise BadInput(f"{where}: symbol", row["symbol"], error.expected) from None


def _day(row: Row, name: str, where: str) -> date | None:
    text = (row[name] or "").strip()
    return day_of(text, f"{where}: {name}", "a day, YYYY-MM-DD, or nothing") if text else None
