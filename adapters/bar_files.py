"""This is daily bars from a file, CSV (gzipped or not) or parquet: symbol, date (or ts), open, high, low, close, volume."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
from arro3.core import (
    Array,
    DataType,
    Field,
    Schema,
    Table,
    dictionary_dictionary,
    dictionary_indices,
)
from arro3.io import read_csv, read_parquet

from adapters.bar_tables import FIGURES, BarTable, Integers
from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST

type Columns = tuple[Integers, ...]
"""Days as ordinals, open, high, low, close and volume: one value for each bar that traded, oldest first."""

_DAYS: Final = ("date", "ts")
_NEEDED: Final = ("symbol", "date or ts", *FIGURES)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PARQUET: Final = b"PAR1"
"""What a parquet file begins and ends with; the reader itself fails hard without it."""
_FIRST_LINE: Final = 2
"""Of the rows of a CSV file; the first holds the names."""


def read_columns(path: Path, symbols: Sequence[Symbol] = ()) -> dict[Symbol, Columns]:
    """Read the bars of `symbols`, of every symbol in the file without any; prices as they are, in whole numbers.

    Halted days are left out, whether the file has a row of zeros or one without volume for them.

    Raises:
        BadInput: naming the file, the row, the column, what stands there and what would be right.
    """
    if not path.is_file():
        raise BadInput("--data", str(path), "a CSV or parquet file of daily bars")
    table = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    found = table.split()
    if unknown := sorted(set(symbols) - set(found)):
        there = f"{len(found)} symbols, {', '.join(sorted(found)[:5])} among them"
        raise BadInput(f"{path.name}: symbol", ", ".join(unknown), f"one of its {there}")
    return {symbol: found[symbol] for symbol in symbols or sorted(found)}


def read_bars(path: Path) -> dict[Symbol, tuple[Bar, ...]]:
    """Read the bars of every symbol one by one; raises what `read_columns` raises."""
    return {s: tuple(bars_of(s, columns)) for s, columns in read_columns(path).items()}


def bars_of(symbol: Symbol, columns: Columns) -> Iterator[Bar]:
    """Give the bars of columns."""
    for day, *figures in zip(*(column.tolist() for column in columns), strict=True):
        trading_day = date.fromordinal(day)
        at = datetime.combine(trading_day, time(), KST).astimezone(UTC)
        known = dict(zip(FIGURES, figures, strict=True))
        yield Bar(symbol, Interval.DAY, trading_day, at, source="file", **known)


# Parquet ----------------------------------------------------------------------------------------------------


def _parquet(path: Path) -> BarTable:
    content = path.read_bytes()
    if not (content.startswith(_PARQUET) and content.endswith(_PARQUET)):
        raise BadInput(path.name, f"{len(content):,} bytes", "a whole parquet file")
    table = read_parquet(BytesIO(content)).read_all()
    day_column = _day_column(path, table.column_names)
    return _table(path, table, day_column, first_row=1)


# CSV --------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> BarTable:
    """Read a CSV file at once, and where that fails line by line, to tell which one is wrong."""
    names = header_of(path)
    day_column = _day_column(path, names)
    types = {"symbol": DataType.utf8(), day_column: DataType.date32()}
    types |= dict.fromkeys(FIGURES, DataType.int64())
    schema = Schema([Field(name, types.get(name, DataType.utf8())) for name in names])
    try:
        with open_bytes(path) as file:
            table = read_csv(file, schema, has_header=True).read_all()
    except Exception:  # noqa: BLE001 - the reader has no error of its own
        return _line_by_line(path, day_column)
    if any(table[name].null_count for name in types):
        return _line_by_line(path, day_column)
    return _table(path, table, day_column, first_row=_FIRST_LINE)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, gzipped or not."""
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def header_of(path: Path) -> list[str]:
    """Give the names in a CSV file's first line."""
    with open_bytes(path) as file:
        line = file.readline().decode("utf-8-sig").strip()
    return next(csv.reader([line]), [])


def _line_by_line(path: Path, day_column: str) -> BarTable:
    with open_bytes(path) as file:
        lines = (line.decode("utf-8-sig") for line in file)
        rows = csv.DictReader(lines)
        read = [_row(row, day_column, f"{path.name} line {rows.line_num}") for row in rows]
    names, *figures = zip(*read, strict=True) if read else ((),) * (2 + len(FIGURES))
    known = sorted(set(names))
    place = {name: code for code, name in enumerate(known)}
    codes = np.array([place[name] for name in names], dtype=np.int64)
    columns = tuple(np.array(column, dtype=np.int64) for column in figures)
    return BarTable(path.name, known, codes, columns, first_row=_FIRST_LINE)


def _row(row: Mapping[str, str | None], day_column: str, where: str) -> tuple[Any, ...]:
    day = _day(row[day_column], f"{where}: {day_column}")
    return row["symbol"], day, *(whole(row[name], f"{where}: {name}") for name in FIGURES)


def _day(text: str | None, field: str) -> int:
    try:
        return date.fromisoformat((text or "")[:10]).toordinal()
    except ValueError:
        raise BadInput(field, text, "a day, YYYY-MM-DD") from None


def whole(text: str | None, field: str) -> int:
    """Read a whole number; a fraction of zero (.0) is one.

    Raises:
        BadInput: naming the field.
    """
    try:
        return int((text or "").removesuffix(".0"))
    except ValueError:
        raise BadInput(field, text, "a whole number") from None


# Both -------------------------------------------------------------------------------------------------------


def _day_column(path: Path, names: Sequence[str]) -> str:
    day_column = next((name for name in _DAYS if name in names), None)
    missing = [name for name in ("symbol", *FIGURES) if name not in names]
    if missing or day_column is None:
        found = ", ".join(names) or "nothing"
        raise BadInput(f"{path.name}: columns", found, f"the columns {', '.join(_NEEDED)}")
    return day_column


def _table(path: Path, table: Table, day_column: str, *, first_row: int) -> BarTable:
    names = table["symbol"].cast(DataType.utf8()).combine_chunks()
    coded = names.cast(DataType.dictionary(DataType.int32(), DataType.utf8()))
    days = table[day_column].cast(DataType.date32()).cast(DataType.int32()).combine_chunks()
    where = f"{path.name} row"
    figures = (_integers(table[n].combine_chunks(), where, n, first_row) for n in FIGURES)
    return BarTable(
        path.name,
        list(map(str, Array.from_arrow(dictionary_dictionary(coded)).to_pylist())),
        dictionary_indices(coded).to_numpy(),
        (_integers(days, where, day_column, first_row) + _EPOCH, *figures),
        first_row=first_row,
    )


def _integers(column: Array, where: str, name: str, first_row: int) -> Integers:
    """Take a column of whole numbers, whatever type the file gives them."""
    values = (
        column.to_numpy() if not column.null_count else np.array(column.to_pylist(), dtype=float)
    )
    if values.dtype.kind == "f":
        wrong = ~(np.isfinite(values) & (values == np.floor(values)))
        if wrong.any():
            row = int(wrong.argmax())
            raise BadInput(f"{where} {row + first_row}: {name}", values[row], "a whole number")
    return values.astype(np.int64)
