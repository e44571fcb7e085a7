"""This is whole series of bars in columns, read as PostgreSQL's own bytes, and the versions that tell whether they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, text

from adapters.postgres.scope import Scope
from adapters.postgres.tables import bar_series
from trading.bars import Interval
from trading.instruments import Symbol

COLUMNS: Final = ("day", "open", "high", "low", "close", "volume")

_FIRST_DAY: Final = "date '0001-01-01' - 1"
_QUERY: Final = f"""
    COPY (
        SELECT symbol::text, (trading_day - ({_FIRST_DAY}))::int8, open, high, low, close, volume FROM (
            SELECT DISTINCT ON (symbol, at) * FROM market_bars
            WHERE channel = %s AND "interval" = %s AND symbol = ANY(%s)
            ORDER BY symbol, at, is_provisional, source
        ) AS bars
        WHERE volume > 0 AND least(open, high, low, close) > 0
        ORDER BY symbol, at
    ) TO STDOUT (FORMAT BINARY)
"""  # noqa: S608 - our own words
_HEADER: Final = 19
"""Bytes before the first row: signature, flags, length of an extension that there is none of."""
_TRAILER: Final = 2
_ROW: Final = np.dtype(
    [("fields", ">i2"), ("symbol_length", ">i4"), ("symbol", "S6")]
    + [(name, kind) for c in COLUMNS for name, kind in ((f"{c}_length", ">i4"), (c, ">i8"))]
)
"""A row as PostgreSQL sends it: each field behind its length, and all of ours are as long in every row."""


class PostgresSeries:
    """The series of one channel: only bars that traded, one for each `at` as `BarStore.between` gives them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def versions(self, interval: Interval) -> Mapping[Symbol, str]:
        """Give the version of each series; another one means that something in it is another.

        Partitions that somebody attached, detached or dropped since the last look are looked at first.
        """
        self._scope.connection.execute(text("SELECT watch_bar_partitions()"))
        query = (
            select(bar_series.c.symbol, bar_series.c.version)
            .where(bar_series.c.channel == self._scope.channel)
            .where(bar_series.c.interval == interval)
        )
        return {Symbol(row.symbol): str(row.version) for row in self._scope.rows(query)}

    def read(
        self, symbols: Iterable[Symbol], interval: Interval
    ) -> Mapping[Symbol, npt.NDArray[np.int64]]:
        """Give a row for each of `COLUMNS`, days as ordinals; symbols without bars are left out."""
        asked = (self._scope.channel, interval.value, list(symbols))
        with self._scope.driver.cursor() as cursor, cursor.copy(_QUERY.encode(), asked) as copy:
            sent = b"".join(copy)
        rows = np.frombuffer(sent[_HEADER : len(sent) - _TRAILER], dtype=_ROW)
        starts = np.flatnonzero(np.r_[True, rows["symbol"][1:] != rows["symbol"][:-1]][: len(rows)])
        return {
            Symbol(part["symbol"][0].decode()): np.array([part[name] for name in COLUMNS], np.int64)
            for part in np.split(rows, starts[1:])
            if len(part)
        }
