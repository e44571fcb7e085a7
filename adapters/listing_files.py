"""This is which symbols were listed when, from a CSV file: symbol, listed_on, delisted_on, an empty day for an open end."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

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
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or ()
        if missing := [name for name in _COLUMNS if name not in columns]:
            expected = f"the columns {', '.join(_COLUMNS)}"
            raise BadInput(f"{path.name}: columns", f"no {', '.join(missing)}", expected)
        for row in rows:
            symbol, listing = _listing(row, f"{path.name} row {rows.line_num}")
            if symbol in found:
                where = f"{path.name} row {rows.line_num}: symbol"
                raise BadInput(where, symbol, "each symbol once")
            found[symbol] = listing
    return found


def _listing(row: Mapping[str, str | None], where: str) -> tuple[Symbol, Listing]:
    listing = Listing(_day(row, "listed_on", where), _day(row, "delisted_on", where))
    if listing.listed_on and listing.delisted_on and listing.delisted_on <= listing.listed_on:
        expected = f"a day after {listing.listed_on.isoformat()}"
        raise BadInput(f"{where}: delisted_on", listing.delisted_on.isoformat(), expected)
    try:
        return Symbol((row["symbol"] or "").strip()), listing
    except InvalidSymbol as error:
        raise BadInput(f"{where}: symbol", row["symbol"], error.expected) from None


def _day(row: Mapping[str, str | None], name: str, where: str) -> date | None:
    text = (row[name] or "").strip()
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise BadInput(f"{where}: {name}", text, "a day, YYYY-MM-DD, or nothing") from None
