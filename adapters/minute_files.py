"""This is minute bars from a CSV file, gzipped or not: symbol, ts (Seoul, the minute's end), open, high, low, close, volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adapters.bar_tables import FIGURES
from adapters.csv_files import Row, header_of, rows_of, whole
from trading.bars import Bar, Interval
from trading.errors import BadInput, InvalidSymbol
from trading.instruments import Symbol
from trading.sessions import KST, session_of

_NEEDED: Final = ("symbol", "ts", *FIGURES)
_PRICES: Final = FIGURES[:-1]


def read_minutes(path: Path) -> dict[Symbol, tuple[Bar, ...]]:
    """Read the bars of every symbol, oldest first; a minute without a trade is left out, whether it has a row or not.

    Raises:
        BadInput: naming the file, the line, the column, what stands there and what would be right.
    """
    if not path.is_file() or path.suffix == ".parquet":
        raise BadInput("--data", str(path), "a CSV file of minute bars")
    names = header_of(path)
    if any(name not in names for name in _NEEDED):
        found = ", ".join(names) or "nothing"
        raise BadInput(f"{path.name}: columns", found, f"the columns {', '.join(_NEEDED)}")
    bars: defaultdict[Symbol, list[Bar]] = defaultdict(list)
    for bar, where in _rows(path):
        earlier = bars[bar.symbol]
        if earlier and bar.at <= earlier[-1].at:
            expected = f"rising minutes of {bar.symbol}, each once"
            raise BadInput(f"{where}: ts", f"{bar.at.astimezone(KST):%Y-%m-%d %H:%M}", expected)
        earlier.append(bar)
    if not bars:
        raise BadInput(f"{path.name}: rows", 0, "at least one bar that traded")
    return {symbol: tuple(found) for symbol, found in sorted(bars.items())}


def _rows(path: Path) -> Iterator[tuple[Bar, str]]:
    for line, row in rows_of(path):
        where = f"{path.name} line {line}"
        bar = _bar(row, where)
        if bar.volume:
            yield bar, where


def _bar(row: Row, where: str) -> Bar:
    figures = {name: whole(row[name], f"{where}: {name}") for name in FIGURES}
    for name in _PRICES if figures["volume"] else ():
        if figures[name] <= 0:
            raise BadInput(f"{where}: {name}", figures[name], "above 0")
    if figures["volume"] < 0:
        raise BadInput(f"{where}: volume", figures["volume"], "above 0")
    if figures["high"] < figures["low"]:
        raise BadInput(f"{where}: high", figures["high"], "at least the low")
    opened, high, low, close, volume = figures.values()
    at = _minute_end(row["ts"], f"{where}: ts")
    symbol = _symbol(row["symbol"], f"{where}: symbol")
    return Bar(
        symbol,
        Interval.MINUTE,
        at.date(),
        at.astimezone(UTC),
        opened,
        high,
        low,
        close,
        volume,
        source="file",
    )


def _minute_end(text: str | None, field: str) -> datetime:
    """Read a minute of Seoul."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        at = None
    if at is None or at.tzinfo or at.second or not (at.hour or at.minute):
        raise BadInput(field, text, "the end of a minute in Seoul, YYYY-MM-DD HH:MM")
    end = at.replace(tzinfo=KST)
    if (
        end == session_of(end.date()).opens_at
    ):  # named after its beginning, it would be known a minute too early
        raise BadInput(field, text, "the end of a minute, the first one minute after the opening")
    return end


def _symbol(text: str | None, field: str) -> Symbol:
    try:
        return Symbol(text)
    except InvalidSymbol as error:
        raise BadInput(field, text, error.expected) from None
