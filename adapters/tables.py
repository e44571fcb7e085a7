"""This is one table in a file of its own: CSV for people's programs, parquet for larger ones, by the file's ending."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from trading.errors import BadInput

ENDINGS: Final = (".csv", ".parquet")

type Rows = Sequence[Mapping[str, Any]]


def require_ending(path: Path) -> None:
    """Check the name before anything is worked out.

    Raises:
        BadInput: for an ending that says no format.
    """
    if path.suffix not in ENDINGS:
        raise BadInput("--table", str(path), f"a name that ends in {' or '.join(ENDINGS)}")


def write_table(path: Path, rows: Rows) -> None:
    """Write the rows, each with the same fields; the file is there whole or not at all."""
    require_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".csv":
            beside.write_text(_csv(rows), "utf-8")
        else:
            write_parquet(_table(rows), str(beside))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _csv(rows: Rows) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(rows: Rows) -> Table:
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return Table.from_pydict({name: _column(values) for name, values in columns.items()})


def _column(values: Sequence[Any]) -> Array:
    """Take whole numbers as such, other numbers as floats, anything else as text; None stays None."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return Array(values, type=DataType.int64())
    if kinds <= {int, float}:
        return Array(values, type=DataType.float64())
    texts = [None if value is None else str(value) for value in values]
    return Array(texts, type=DataType.utf8())
