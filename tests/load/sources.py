"""This is real prices out of a folder of the owner's: minute bars, and the whole market seen every half hour."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pandas as pd

from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.sessions import KST, Session, session_of
from trading.ticks import TradePrint

MINUTES: Final = "intraday_minute.csv.gz"
SNAPSHOTS: Final = "intraday_snapshots.parquet"
_DELAY: Final = timedelta(minutes=20)
"""What the exchange's own page, where the snapshots come from, lags behind the market."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the whole market showed at one moment: last price and volume of the day so far, of what traded."""

    at: datetime
    shown: Mapping[Symbol, tuple[int, int]]

    @property
    def volume(self) -> int:
        """All shares of the day."""
        return sum(volume for _, volume in self.shown.values())


def minute_days(folder: Path) -> dict[date, list[Bar]]:
    """Read the minute bars by day, oldest first; they are named after their end."""
    days: defaultdict[date, list[Bar]] = defaultdict(list)
    with gzip.open(_there(folder, MINUTES), "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            bar = _bar(row)
            days[bar.trading_day].append(bar)
    return dict(days)


def market_days(folder: Path) -> dict[date, list[TradePrint]]:
    """Read the snapshots as the one print for each symbol that would make the next out of the one before.

    Raises:
        BadInput: when pandas has no reader of parquet here.
    """
    try:
        table = pd.read_parquet(_there(folder, SNAPSHOTS))
    except ImportError:
        expected = "a Python with pyarrow: uv pip install --python .venv/bin/python pyarrow"
        raise BadInput("parquet", SNAPSHOTS, expected) from None
    traded = table[table["close"].notna() & (table["cum_volume"] > 0)]
    days: defaultdict[date, list[Snapshot]] = defaultdict(list)
    for at, rows in traded.groupby("ts"):
        snapshot = _snapshot(at, rows)
        days[snapshot.at.date()].append(snapshot)
    return {day: list(prints(session_of(day), _of_the_day(shown))) for day, shown in days.items()}


def prints(session: Session, snapshots: Sequence[Snapshot]) -> Iterator[TradePrint]:
    """Give what traded between each snapshot and the next, in order; the first has all before it."""
    known: dict[Symbol, int] = {}
    for snapshot in snapshots:
        at = _trading_time(snapshot.at, session)
        for symbol, (price, volume) in snapshot.shown.items():
            quantity = volume - known.get(symbol, 0)
            if quantity > 0:
                known[symbol] = volume
                yield TradePrint(symbol, price, quantity, at, volume)


def _there(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        raise BadInput("folder", str(folder), f"a folder with {MINUTES} and {SNAPSHOTS}")
    return path


def _bar(row: Mapping[str, str]) -> Bar:
    at = datetime.fromisoformat(row["ts"]).replace(tzinfo=KST)
    first, high, low, last, volume = (
        int(row[name]) for name in ("open", "high", "low", "close", "volume")
    )
    return Bar(
        Symbol(row["symbol"]),
        Interval.MINUTE,
        at.date(),
        at,
        first,
        high,
        low,
        last,
        volume,
        is_adjusted=False,
    )


def _snapshot(at: Any, rows: pd.DataFrame) -> Snapshot:
    columns = (rows[name] for name in ("symbol", "close", "cum_volume"))
    shown = {
        Symbol(s): (int(price), int(volume)) for s, price, volume in zip(*columns, strict=True)
    }
    return Snapshot(at.to_pydatetime().replace(tzinfo=KST) - _DELAY, shown)


def _of_the_day(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Leave out what still shows the day before: more shares than a later one."""
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.at)
    kept = [one for one, later in pairwise(ordered) if one.volume <= later.volume]
    return [*kept, *ordered[-1:]]


def _trading_time(at: datetime, session: Session) -> datetime:
    """Give when it traded at the latest: what shows after continuous trading is the closing auction's."""
    return min(at, session.closes_at) if at < session.closing_auction_at else session.closes_at
