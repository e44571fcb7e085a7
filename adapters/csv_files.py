"""This is CSV files as people give them: gzipped or not, in UTF-8, each row beside the line that it ends on."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from trading.errors import BadInput
from trading.sessions import KST

type Row = Mapping[str, str | None]
"""Values by column; None where the line ends before."""

A_DAY: Final = "a day, YYYY-MM-DD"
MOST: Final = 10**12
"""No price and no volume is beyond it, and products of such numbers still fit into 64 bits."""
_AROUND: Final = 20
"""Bytes that are shown of what is no text."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, gzipped or not.

    Raises:
        BadInput: naming it, when it cannot be read to its end.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast("BinaryIO", file)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        size = f"{path.stat().st_size:,} bytes"
        raise BadInput(path.name, size, "a whole gzipped file") from None
    except OSError as error:
        raise BadInput(path.name, error.strerror, "a file that can be read") from None


def header_of(path: Path) -> list[str]:
    """Give the names in the first line; raises what `rows_of` raises."""
    with closing(_records(path)) as records:
        return next((names for _, names in records), [])


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """Give each row beside the line that it ends on; blank lines are none.

    Raises:
        BadInput: naming file and line, for what is no text or no CSV.
    """
    with closing(_records(path)) as records:
        _, names = next(records, (0, []))
        nothing = [None] * len(names)
        for line, values in records:
            yield line, dict(zip(names, (*values, *nothing), strict=False))


def day_of(text: str | None, field: str, expected: str = A_DAY) -> date:
    """Read a day; a moment with an offset, as pandas writes it, is on the day that it is then in Seoul.

    Raises:
        BadInput: naming the field.
    """
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment.astimezone(KST) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        raise BadInput(field, text, expected) from None


def whole(text: str | None, field: str) -> int:
    """Read a whole number; a fraction of zero (.0) is one.

    Raises:
        BadInput: naming the field.
    """
    try:
        number = int((text or "").removesuffix(".0"))
    except ValueError:
        raise BadInput(field, text, "a whole number") from None
    if abs(number) > MOST:
        raise BadInput(field, text, f"a whole number up to {MOST:,}")
    return number


def _records(path: Path) -> Generator[tuple[int, list[str]]]:
    with opened(path) as file:
        records = csv.reader(_texts(path, file))
        try:
            for values in records:
                if values:
                    yield records.line_num, values
        except csv.Error as error:
            where, expected = f"{path.name} line {records.line_num}", "values with commas between"
            raise BadInput(where, str(error), expected) from None


def _texts(path: Path, file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            wrong = line[error.start : error.start + _AROUND]
            raise BadInput(f"{path.name} line {number}", wrong, "text in UTF-8") from None
