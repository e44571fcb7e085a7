"""This is the closes of an index from a CSV file: columns date and close, to hold an account against."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Final

from adapters.csv_files import day_of, header_of, rows_of
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
    columns = header_of(path)
    day_column = next((each for each in ("date", "ts") if each in columns), None)
    if day_column is None or "close" not in columns:
        found = ", ".join(columns) or "nothing"
        raise BadInput(f"{path.name}: columns", found, "the columns date and close")
    places = ((f"{path.name} row {line}", row) for line, row in rows_of(path))
    closes = [
        (day_of(row[day_column], f"{where}: date"), _level(row["close"], where))
        for where, row in places
    ]
    _require_order(closes, path)
    return Benchmark(name, closes)


def _level(text: str | None, where: str) -> Decimal:
    try:
        level = Decimal((text or "").replace(",", ""))
    except InvalidOperation:
        level = Decimal("NaN")
    if not level.is_finite() or level <= 0:
        raise BadInput(f"{where}: close", text, "a number above 0")
    return level


def _require_order(closes: list[tuple[date, Decimal]], path: Path) -> None:
    if not closes:
        raise BadInput(f"{path.name}: rows", 0, "at least one day")
    for (before, _), (day, _) in pairwise(closes):
        if day <= before:
            expected = f"rising days, each once, after {before.isoformat()}"
            raise BadInput(f"{path.name}: date", day.isoformat(), expected)
