"""This is daily bars from a CSV file, gzipped or not: columns symbol, date (or ts), open, high, low, close, volume."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Final, TextIO

from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST

_NUMBERS: Final = ("open", "high", "low", "close", "volume")
_NEEDED: Final = ("symbol", "date or ts", *_NUMBERS)


def read_bars(path: Path) -> dict[Symbol, tuple[Bar, ...]]:
    """Read the bars of every symbol in the file, oldest first; prices in whole won.

    Raises:
        BadInput: naming the file, the line, the column and what stands there.
    """
    if not path.is_file():
        raise BadInput("--data", str(path), "a CSV file of daily bars")
    bars: defaultdict[Symbol, list[Bar]] = defaultdict(list)
    with _open(path) as file:
        rows = csv.DictReader(file)
        day_column = _check_columns(path, rows.fieldnames or ())
        for row in rows:
            bar = _bar(row, day_column, where=f"{path.name} line {rows.line_num}")
            bars[bar.symbol].append(bar)
    return {symbol: _in_order(found, path) for symbol, found in bars.items()}


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check_columns(path: Path, names: Sequence[str]) -> str:
    """Give the name of the day's column."""
    day_column = next((name for name in ("date", "ts") if name in names), None)
    missing = [name for name in ("symbol", *_NUMBERS) if name not in names]
    if missing or day_column is None:
        found = ", ".join(names) or "nothing"
        raise BadInput(f"{path.name}: columns", found, f"the columns {', '.join(_NEEDED)}")
    return day_column


def _bar(row: Mapping[str, str | None], day_column: str, *, where: str) -> Bar:
    day = _day(row[day_column], f"{where}: {day_column}")
    figures = {name: _whole(row[name], f"{where}: {name}") for name in _NUMBERS}
    return Bar(
        symbol=Symbol(row["symbol"]),
        interval=Interval.DAY,
        trading_day=day,
        at=datetime.combine(day, time(), KST).astimezone(UTC),
        open=figures["open"],
        high=figures["high"],
        low=figures["low"],
        close=figures["close"],
        volume=figures["volume"],
        source="file",
    )


def _day(text: str | None, field: str) -> date:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        raise BadInput(field, text, "a day, YYYY-MM-DD") from None


def _whole(text: str | None, field: str) -> int:
    """Read a whole number; a fraction of zero (.0) is one."""
    try:
        return int((text or "").removesuffix(".0"))
    except ValueError:
        raise BadInput(field, text, "a whole number") from None


def _in_order(bars: list[Bar], path: Path) -> tuple[Bar, ...]:
    """Sort by day.

    Raises:
        BadInput: when a symbol has a day twice.
    """
    ordered = sorted(bars, key=lambda bar: bar.trading_day)
    for one, other in pairwise(ordered):
        if one.trading_day == other.trading_day:
            twice = f"{one.symbol} {one.trading_day.isoformat()}"
            raise BadInput(f"{path.name}: rows", twice, "one row for each symbol and day")
    return tuple(ordered)
