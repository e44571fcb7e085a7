"""This is the closes of an index from a CSV file: columns date and close, to hold an account against."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Final

from trading.errors import BadInput
from trading.indices import Benchmark

KOSPI: Final = "KOSPI"
_OPTION: Final = "--benchmark"


def read_index(path: Path, name: str = KOSPI) -> Benchmark:
    """Read the file; more columns than date (or ts) and close do no harm.

    Raises:
        BadInput: naming file, row and column, and what would be right.
    """
    if not path.is_file():
        raise BadInput(_OPTION, str(path), "a CSV file with the columns date and close")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or ()
        day_column = next((each for each in ("date", "ts") if each in columns), None)
        if day_column is None or "close" not in columns:
            found = ", ".join(columns) or "nothing"
            raise BadInput(f"{path.name}: columns", found, "the columns date and close")
        closes = [
            (_day(row[day_column], f"{path.name} row {rows.line_num}"), _level(row, path, rows))
            for row in rows
        ]
    _require_order(closes, path)
    return Benchmark(name, closes)


def _day(text: str | None, where: str) -> date:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        raise BadInput(f"{where}: date", text, "a day, YYYY-MM-DD") from None


def _level(row: dict[str, str | None], path: Path, rows: csv.DictReader[str]) -> Decimal:
    text = row["close"]
    try:
        level = Decimal((text or "").replace(",", ""))
    except InvalidOperation:
        level = Decimal("NaN")
    if not level.is_finite() or level <= 0:
        raise BadInput(f"{path.name} row {rows.line_num}: close", text, "a number above 0")
    return level


def _require_order(closes: list[tuple[date, Decimal]], path: Path) -> None:
    if not closes:
        raise BadInput(f"{path.name}: rows", 0, "at least one day")
    for (before, _), (day, _) in pairwise(closes):
        if day <= before:
            expected = f"rising days, each once, after {before.isoformat()}"
            raise BadInput(f"{path.name}: date", day.isoformat(), expected)
