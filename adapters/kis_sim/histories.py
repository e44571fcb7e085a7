"""This is the price history that the simulator plays, read from a CSV file of daily or minute bars."""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Final, TextIO

from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST, session_of

DATA_FOLDER: Final = Path(__file__).parent / "data"
BUNDLED: Final = DATA_FOLDER / "mit_daily_ohlcv_2016_2019.csv.gz"

_PRICES: Final = ("open", "high", "low", "close", "volume")
_NEEDED: Final = "symbol, ts or date, open, high, low, close, volume"


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day of one symbol in won and shares; a halted day has no volume."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def is_traded(self) -> bool:
        """Whether anything can be played: halted days come with volume 0, open 0, or both."""
        return self.volume > 0 and min(self.open, self.high, self.low) > 0


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute of one symbol, labelled with its START in Seoul; `value` in won where prints made it."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """Daily bars by symbol, oldest first, minute bars where the file had them, and what it said of symbols.

    `splits` are the days from which on so many shares are one of before: prices up to them are raw.
    """

    days: Mapping[str, tuple[DayBar, ...]]
    minutes: Mapping[tuple[str, date], tuple[MinuteBar, ...]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    splits: Mapping[str, Mapping[date, int]] = field(default_factory=dict)

    def adjusted(self, symbol: str, bars: Sequence[DayBar], on: date) -> tuple[DayBar, ...]:
        """Return bars as they are shown on a day: what was split up to it makes the prices before smaller."""
        if symbol not in self.splits:
            return tuple(bars)
        done = {day: parts for day, parts in self.splits.get(symbol, {}).items() if day <= on}
        return tuple(
            _split(bar, prod(n for day, n in done.items() if bar.day < day)) for bar in bars
        )

    def bar(self, symbol: str, day: date) -> DayBar | None:
        """Return the bar of `day`, None where the symbol did not trade."""
        bars = self.days.get(symbol, ())
        index = bisect_left(bars, day, key=lambda bar: bar.day)
        return bars[index] if index < len(bars) and bars[index].day == day else None

    def before(self, symbol: str, day: date) -> tuple[DayBar, ...]:
        """Return every bar before `day`, oldest first."""
        bars = self.days.get(symbol, ())
        return bars[: bisect_left(bars, day, key=lambda bar: bar.day)]

    def trading_days(self) -> tuple[date, ...]:
        """Return every day on which any symbol has a bar, in order."""
        return tuple(sorted({bar.day for bars in self.days.values() for bar in bars}))

    def relabelled(self, days: Mapping[date, date]) -> History:
        """Return the same bars on other days; bars of days that `days` does not name are left out."""
        moved = {
            symbol: tuple(replace(bar, day=days[bar.day]) for bar in bars if bar.day in days)
            for symbol, bars in self.days.items()
        }
        minutes = {
            (symbol, days[day]): tuple(_on_day(bar, days[day]) for bar in bars)
            for (symbol, day), bars in self.minutes.items()
            if day in days
        }
        splits = {
            symbol: {days[day]: parts for day, parts in found.items() if day in days}
            for symbol, found in self.splits.items()
        }
        return replace(self, days=moved, minutes=minutes, splits=splits)

    def until(self, day: date) -> History:
        """Return the history up to and with `day`."""
        kept = {
            symbol: bars[: bisect_right(bars, day, key=lambda bar: bar.day)]
            for symbol, bars in self.days.items()
        }
        return replace(self, days=kept)


def _split(bar: DayBar, parts: int) -> DayBar:
    if parts == 1:
        return bar
    return DayBar(
        bar.day,
        round(bar.open / parts),
        round(bar.high / parts),
        round(bar.low / parts),
        round(bar.close / parts),
        bar.volume * parts,
    )


def _on_day(bar: MinuteBar, day: date) -> MinuteBar:
    return replace(bar, at=datetime.combine(day, bar.at.time(), KST))


def read_history(path: Path = BUNDLED) -> History:
    """Read a CSV file of daily or minute bars, `.gz` or plain.

    Raises:
        BadInput: naming the file, the column or line, and what would be right.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        raise BadInput("data", str(path), f"a readable CSV file ({problem})") from problem


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> History:
    """Read a file once for all simulators of this process, as long as it does not change."""
    with _open(path) as file:
        rows = list(_rows(csv.DictReader(file), path.name))
    if not rows:
        raise BadInput("data", str(path), "a file with at least one bar")
    names: dict[str, tuple[str, str]] = {
        row.symbol: (row.name, row.market) for row in rows if row.name or row.market
    }
    if any(row.at.time() != time() for row in rows):
        return _of_minutes(rows, names)
    bars = _by_symbol((row.symbol, row.day_bar()) for row in rows)
    return History(bars, names=names, splits=_splits(rows))


@dataclass(frozen=True, slots=True)
class _Row:
    symbol: Symbol
    at: datetime
    prices: tuple[int, int, int, int, int]
    name: str
    market: str
    split: int = 1

    def day_bar(self) -> DayBar:
        return DayBar(self.at.date(), *self.prices)

    def minute_bar(self) -> MinuteBar:
        return MinuteBar(self.at, *self.prices)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(reader: csv.DictReader[str], file: str) -> Iterator[_Row]:
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    moment = "ts" if "ts" in columns else "date"
    for column in ("symbol", moment, *_PRICES):
        if column not in columns:
            raise BadInput("data", file, f"column {column!r} is missing; needed are {_NEEDED}")
    for record in reader:
        yield _row(record, moment, f"{file} line {reader.line_num}")


def _row(record: Mapping[str, str | None], moment: str, where: str) -> _Row:
    code = (record["symbol"] or "").strip()
    stamp = (record[moment] or "").strip()
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError as problem:
        raise BadInput(
            f"{where}, column {moment}", stamp, "a date or time like 2018-01-16"
        ) from problem
    prices = (
        _whole(record, "open", where),
        _whole(record, "high", where),
        _whole(record, "low", where),
        _whole(record, "close", where),
        _whole(record, "volume", where),
    )
    local = at.replace(tzinfo=KST) if at.tzinfo is None else at.astimezone(KST)
    name, market = (record.get("name") or "").strip(), (record.get("market") or "").strip()
    split = _whole(record, "split", where) if (record.get("split") or "").strip() else 1
    return _Row(Symbol(code), local, prices, name, market, max(split, 1))


def _whole(record: Mapping[str, str | None], column: str, where: str) -> int:
    text = (record[column] or "").strip()
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation as problem:
        raise BadInput(f"{where}, column {column}", text, "a whole number") from problem
    if not number.is_finite() or number < 0 or number != number.to_integral_value():
        raise BadInput(f"{where}, column {column}", text, "a whole number, 0 or more")
    return int(number)


def _splits(rows: Iterable[_Row]) -> dict[str, dict[date, int]]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in rows:
        if row.split > 1:
            found[row.symbol][row.at.date()] = row.split
    return dict(found)


def _by_symbol(bars: Iterable[tuple[str, DayBar]]) -> dict[str, tuple[DayBar, ...]]:
    found: dict[str, dict[date, DayBar]] = defaultdict(dict)
    for symbol, bar in bars:
        found[symbol][bar.day] = bar
    return {symbol: tuple(days[day] for day in sorted(days)) for symbol, days in found.items()}


def _of_minutes(rows: list[_Row], names: Mapping[str, tuple[str, str]]) -> History:
    is_by_end = not any(row.at == session_of(row.at.date()).opens_at for row in rows)
    found: dict[tuple[str, date], list[MinuteBar]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.at):
        bar = row.minute_bar()
        found[row.symbol, row.at.date()].append(_by_start(bar) if is_by_end else bar)
    minutes = {key: tuple(bars) for key, bars in found.items()}
    days = _by_symbol((symbol, _day_of(bars)) for (symbol, _), bars in minutes.items())
    return History(days, minutes, names)


def _by_start(bar: MinuteBar) -> MinuteBar:
    """Label a bar with its start; the closing auction's bar is labelled with its moment either way."""
    is_closing = bar.at == session_of(bar.at.date()).closes_at
    return bar if is_closing else replace(bar, at=bar.at - timedelta(minutes=1))


def _day_of(bars: tuple[MinuteBar, ...]) -> DayBar:
    return DayBar(
        bars[0].at.date(),
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )
