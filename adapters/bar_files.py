"""This is daily bars from a file, CSV (gzipped or not) or parquet: symbol, date (or ts), open, high, low, close, volume."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from itertools import chain
from os import SEEK_END
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from arro3.core import (
    Array,
    DataType,
    Field,
    RecordBatch,
    Schema,
    dictionary_dictionary,
    dictionary_indices,
)
from arro3.io import read_csv, read_parquet

from adapters.bar_tables import (
    FIGURES,
    BarTable,
    Figures,
    GrowingColumn,
    Integers,
    SortedBars,
    narrow,
)
from adapters.csv_files import A_DAY, MOST, Row, day_of, header_of, opened, rows_of, whole
from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST

type Columns = tuple[Integers, ...]
"""Days as ordinals, open, high, low, close and volume: one value for each bar that traded, oldest first."""

_DAYS: Final = ("date", "ts")
_NEEDED: Final = ("symbol", "date or ts", *FIGURES)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SEOUL: Final = "+09:00"
_PARQUET: Final = b"PAR1"
"""What a parquet file begins and ends with; the reader itself fails hard without it."""
_SCREEN: Final = 2
"""The file descriptor of standard error."""
_AT_ONCE: Final = 50_000
"""Rows that are read before they are made narrow."""
_FIRST_LINE: Final = 2
"""Of the rows of a CSV file; the first holds the names."""


def read_table(path: Path, only: Sequence[Symbol] = ()) -> SortedBars:
    """Read the bars of every symbol in the file, or of `only` some; prices as they are, in whole numbers.

    Halted days are left out, whether the file has a row of zeros or one without volume for them. Rows of symbols
    that nobody asked for are not looked at.

    Raises:
        BadInput: naming the file, the row, the column, what stands there and what would be right.
    """
    if not path.is_file():
        raise BadInput("--data", str(path), "a CSV or parquet file of daily bars")
    table = _parquet(path, only) if path.suffix == ".parquet" else _csv(path, only)
    found = table.sorted()
    if not found.bars.size:
        raise BadInput(f"{path.name}: rows", 0, "at least one bar that traded")
    return found


def read_columns(path: Path) -> dict[Symbol, Columns]:
    """Read the same, one symbol apart from the other; raises what `read_table` raises."""
    found = read_table(path)
    spans = zip(found.symbols, found.starts[:-1], found.starts[1:], strict=True)
    return {s: tuple(row[a:b] for row in found.bars.astype(np.int64)) for s, a, b in spans}


def read_bars(path: Path) -> dict[Symbol, tuple[Bar, ...]]:
    """Read the bars of every symbol one by one; raises what `read_table` raises."""
    return {s: tuple(bars_of(s, columns)) for s, columns in read_columns(path).items()}


def bars_of(symbol: Symbol, columns: Columns) -> Iterator[Bar]:
    """Give the bars of columns."""
    for day, *figures in zip(*(column.tolist() for column in columns), strict=True):
        trading_day = date.fromordinal(day)
        at = datetime.combine(trading_day, time(), KST).astimezone(UTC)
        known = dict(zip(FIGURES, figures, strict=True))
        yield Bar(symbol, Interval.DAY, trading_day, at, source="file", **known)


# Parquet ----------------------------------------------------------------------------------------------------


def _parquet(path: Path, only: Sequence[Symbol]) -> BarTable:
    with opened(path) as file:
        begin = file.read(len(_PARQUET))
        file.seek(-min(len(_PARQUET), path.stat().st_size), SEEK_END)
        if not begin == file.read() == _PARQUET:
            raise _no_parquet(path)
    with _named(path), _unheard():
        batches = read_parquet(path, batch_size=_AT_ONCE)
    day_column = _day_column(path, batches.schema.names)
    return _table(path, _each(path, batches), day_column, only, first_row=1)


def _each(path: Path, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
    while True:
        with _named(path):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file where its reader fails, which it does by panic, too: no Exception in Python."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise _no_parquet(path) from None
        raise


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep a panic's own words off the screen: the reader writes them to the process's standard error itself."""
    screen, nowhere = os.dup(_SCREEN), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _SCREEN)
        yield
    finally:
        os.dup2(screen, _SCREEN)
        os.close(screen)
        os.close(nowhere)


def _no_parquet(path: Path) -> BadInput:
    return BadInput(path.name, f"{path.stat().st_size:,} bytes", "a whole parquet file")


# CSV --------------------------------------------------------------------------------------------------------


def _csv(path: Path, only: Sequence[Symbol]) -> BarTable:
    """Read a CSV file at once, and where that fails line by line, to tell which one is wrong."""
    names = header_of(path)
    day_column = _day_column(path, names)
    types = dict.fromkeys(FIGURES, DataType.int64())
    schema = Schema([Field(name, types.get(name, DataType.utf8())) for name in names])
    try:
        with opened(path) as file:
            batches = read_csv(file, schema, has_header=True, batch_size=_AT_ONCE)
            return _table(path, batches, day_column, only, first_row=_FIRST_LINE, is_whole=True)
    except BadInput:
        raise
    except Exception:  # noqa: BLE001 - the reader has no error of its own
        return _line_by_line(path, day_column, only)


def _line_by_line(path: Path, day_column: str, only: Sequence[Symbol]) -> BarTable:
    known: dict[str, int] = {}
    wanted, places, read = set(only), [], []
    for place, (line, row) in enumerate(rows_of(path), _FIRST_LINE):
        code = known.setdefault(row["symbol"] or "", len(known))
        if not wanted or row["symbol"] in wanted:
            places.append(place)
            read.append((code, *_row(row, day_column, f"{path.name} line {line}")))
    columns = np.array(read, dtype=np.int64).reshape(-1, 2 + len(FIGURES)).T
    codes, *figures = map(narrow, columns)
    names, ranks = _ranks(path, known, only)
    return BarTable(path.name, names, ranks[codes], figures, places)


def _row(row: Row, day_column: str, where: str) -> tuple[int, ...]:
    day = day_of(row[day_column], f"{where}: {day_column}").toordinal()
    return day, *(whole(row[name], f"{where}: {name}") for name in FIGURES)


# Both -------------------------------------------------------------------------------------------------------


def _day_column(path: Path, names: Sequence[str]) -> str:
    day_column = next((name for name in _DAYS if name in names), None)
    if twice := [name for name in ("symbol", *_DAYS, *FIGURES) if names.count(name) > 1]:
        raise BadInput(f"{path.name}: columns", ", ".join(twice), "each column once")
    missing = [name for name in ("symbol", *FIGURES) if name not in names]
    if missing or day_column is None:
        found = ", ".join(names) or "nothing"
        raise BadInput(f"{path.name}: columns", found, f"the columns {', '.join(_NEEDED)}")
    return day_column


def _table(
    path: Path,
    batches: Iterable[RecordBatch],
    day_column: str,
    only: Sequence[Symbol],
    *,
    first_row: int,
    is_whole: bool = False,
) -> BarTable:
    """Take a file in parts, each made narrow before the next one is read; `is_whole` refuses what stands empty."""
    known: dict[str, int] = {}
    columns = [GrowingColumn() for _ in range(2 + len(FIGURES))]
    rows, row = GrowingColumn(), first_row
    for batch in batches:
        codes, places = _codes(batch, known), np.arange(row, row + batch.num_rows)
        row += batch.num_rows
        taken = batch
        if only:
            asked = np.flatnonzero(np.isin(codes, [known[name] for name in only if name in known]))
            taken, codes, places = batch.take(Array.from_numpy(asked)), codes[asked], places[asked]
            rows.add(places)
        if is_whole and any(taken[name].null_count for name in ("symbol", day_column, *FIGURES)):
            raise ValueError(f"empty, before row {row}")
        figures = _figures(taken, f"{path.name} row", day_column, places)
        for column, part in zip(columns, chain([codes], figures), strict=True):
            column.add(part)
    names, ranks = _ranks(path, known, only)
    codes, *read = (column.whole() for column in columns)
    given = rows.whole() if only else range(first_row, row)
    return BarTable(path.name, names, ranks[codes], read, given)


def _ranks(
    path: Path, known: Mapping[str, int], only: Sequence[Symbol]
) -> tuple[list[str], Figures]:
    """Give the names that were asked for, rising, and for each of the `known` ones its place among them.

    Raises:
        BadInput: for one that the file has not.
    """
    if unknown := sorted(set(only) - known.keys()):
        there = f"{len(known)} symbols, {', '.join(sorted(known)[:5])} among them"
        raise BadInput(f"{path.name}: symbol", ", ".join(unknown), f"one of its {there}")
    names = sorted(set(only) or known)
    ranks = np.zeros(len(known), dtype=np.int32)
    ranks[[known[name] for name in names]] = np.arange(len(names))
    return names, ranks


def _figures(batch: RecordBatch, where: str, day_column: str, rows: Integers) -> Iterator[Integers]:
    """Give the days as ordinals, then the rest; `rows` are their places in the file."""
    yield _days(batch[day_column], where, day_column, rows)
    for name in FIGURES:
        yield _integers(batch[name], where, name, rows)


def _codes(batch: RecordBatch, known: dict[str, int]) -> Figures:
    """Give each row's symbol as its place in `known`, where new ones are added."""
    names, codes = _spelled(batch["symbol"].cast(DataType.utf8()))
    places = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)
    ranked: Figures = places[codes]
    return ranked


def _spelled(texts: Array) -> tuple[list[str], Integers]:
    """Give the different texts, and for each row which of them it has; nothing is an empty one."""
    if texts.null_count:
        texts = Array([text or "" for text in texts.to_pylist()], type=DataType.utf8())
    coded = texts.cast(DataType.dictionary(DataType.int32(), DataType.utf8()))
    names = list(map(str, Array.from_arrow(dictionary_dictionary(coded)).to_pylist()))
    return names, dictionary_indices(coded).to_numpy()


def _days(column: Array, where: str, name: str, rows: Integers) -> Integers:
    """Take a column of days, or of moments, which are on the day that it is then in Seoul."""
    kind = column.type
    if _is_text(kind):
        return _written_days(column, where, name, rows)
    if not (DataType.is_date(kind) or DataType.is_timestamp(kind)):
        raise BadInput(f"{where}s: {name}", str(kind).strip(), A_DAY)
    if kind.tz is not None:
        column = column.cast(DataType.timestamp("s", tz=_SEOUL))
    days = column.cast(DataType.date32()).cast(DataType.int32())
    if days.null_count:
        raise BadInput(f"{where} {rows[list(days.to_pylist()).index(None)]}: {name}", None, A_DAY)
    return days.to_numpy().astype(np.int64) + _EPOCH


def _written_days(column: Array, where: str, name: str, rows: Integers) -> Integers:
    texts, codes = _spelled(column.cast(DataType.utf8()))
    days = np.empty(len(texts), dtype=np.int64)
    for place, text in enumerate(texts):
        try:
            days[place] = day_of(text, name).toordinal()
        except BadInput as error:
            row = rows[int((codes == place).argmax())]
            raise BadInput(f"{where} {row}: {name}", text, error.expected) from None
    return days[codes]


def _integers(column: Array, where: str, name: str, rows: Integers) -> Integers:
    """Take a column of whole numbers, whatever type the file gives them."""
    values = _numbers(column, where, name)
    wrong = values < -MOST
    wrong |= values > MOST
    if values.dtype.kind == "f":
        wrong |= ~(np.isfinite(values) & (values == np.floor(values)))
    if wrong.any():
        place = int(wrong.argmax())
        expected = (
            f"a whole number up to {MOST:,}" if abs(values[place]) > MOST else "a whole number"
        )
        raise BadInput(f"{where} {rows[place]}: {name}", column[place].as_py(), expected)
    return values.astype(np.int64)


def _numbers(column: Array, where: str, name: str) -> npt.NDArray[Any]:
    kind = column.type
    if not column.null_count and DataType.is_integer(kind):
        return column.to_numpy()
    if not (DataType.is_numeric(kind) or DataType.is_decimal(kind) or _is_text(kind)):
        raise BadInput(f"{where}s: {name}", str(kind).strip(), "a column of whole numbers")
    read = column.cast(DataType.float64())
    return np.array(read.to_pylist(), dtype=float) if read.null_count else read.to_numpy()


def _is_text(kind: DataType) -> bool:
    is_kind = DataType.is_string, DataType.is_large_string, DataType.is_string_view
    return any(each(kind) for each in (*is_kind, DataType.is_dictionary))
