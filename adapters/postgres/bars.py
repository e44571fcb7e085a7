"""This is price history in PostgreSQL: partitioned by month, written by COPY, equal rows left alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from adapters.postgres.scope import Scope, asked, columns_of, own, pick
from adapters.postgres.tables import bar_gaps, market_bars
from trading.bars import Bar, BarGap, Interval
from trading.instruments import Symbol
from trading.sessions import KST

_KEY: Final = ("channel", "symbol", "interval", "at", "source")
_FIGURES: Final = ("trading_day", "open", "high", "low", "close", "volume", "value")
_FLAGS: Final = ("is_provisional", "is_adjusted")
_COLUMNS: Final = (*_KEY, *_FIGURES, *_FLAGS)
_TYPES: Final = (
    *("text", "text", "text", "timestamptz", "text"),
    *("date", "int8", "int8", "int8", "int8", "int8", "int8"),
    *("bool", "bool"),
)


def _names(columns: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in columns)


_STAGE: Final = "CREATE TEMP TABLE IF NOT EXISTS staged_bars (LIKE market_bars) ON COMMIT DROP"
_COPY: Final = f"COPY staged_bars ({_names(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_MERGE: Final = f"""
    INSERT INTO market_bars AS stored ({_names(_COLUMNS)})
    SELECT {_names(_COLUMNS)} FROM staged_bars ORDER BY {_names(_KEY)}
    ON CONFLICT ({_names(_KEY)}) DO UPDATE
    SET ({_names(_FIGURES + _FLAGS)}) = ({_names(_FIGURES + _FLAGS, "excluded.")})
    WHERE ({_names(_FIGURES + _FLAGS, "stored.")})
        IS DISTINCT FROM ({_names(_FIGURES + _FLAGS, "excluded.")})
      AND (stored.is_provisional OR NOT excluded.is_provisional)
"""  # noqa: S608 - our own column names
_CLOSE_GAPS: Final = """
    DELETE FROM bar_gaps AS gap USING staged_bars AS bar
    WHERE bar."interval" = '1d'
      AND (gap.channel, gap.symbol, gap.trading_day) = (bar.channel, bar.symbol, bar.trading_day)
"""
_BEST: Final = (
    own(market_bars)
    .ext(distinct_on(market_bars.c.at))
    .where(market_bars.c.symbol == bindparam("symbol"))
    .where(market_bars.c.interval == bindparam("interval"))
    .where(market_bars.c.at < bindparam("end"))
)
"""One bar for each `at`: final before provisional, then by the source's name."""
_CHOICE: Final = (market_bars.c.is_provisional, market_bars.c.source)
_LAST: Final = asked(
    _BEST.order_by(market_bars.c.at.desc(), *_CHOICE).limit(bindparam("count", type_=Integer))
)
_BETWEEN: Final = asked(
    _BEST.where(market_bars.c.at >= bindparam("begin")).order_by(market_bars.c.at, *_CHOICE)
)


class PostgresBars:
    """Price history of one channel."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def upsert(self, bars: Sequence[Bar]) -> int:
        """Write bars; a provisional bar never replaces a final one; give how many rows changed."""
        if not bars:
            return 0
        self._make_partitions(bars)
        self._stage(bars)
        changed = self._scope.changes(text(_MERGE))
        self._scope.changes(text(_CLOSE_GAPS))
        return changed

    def last(
        self, symbol: Symbol, interval: Interval, *, count: int, until: date
    ) -> tuple[Bar, ...]:
        """Give the last `count` bars, oldest first."""
        end = _midnight(until + timedelta(days=1))
        rows = self._scope.rows(_LAST, symbol=symbol, interval=interval, end=end, count=count)
        return tuple(_bar(row) for row in reversed(rows))

    def between(
        self, symbol: Symbol, interval: Interval, *, first: date, last: date
    ) -> tuple[Bar, ...]:
        """Give the bars of the days, oldest first."""
        begin, end = _midnight(first), _midnight(last + timedelta(days=1))
        rows = self._scope.rows(_BETWEEN, symbol=symbol, interval=interval, begin=begin, end=end)
        return tuple(_bar(row) for row in rows)

    def provisional_days(self, symbol: Symbol, interval: Interval) -> tuple[date, ...]:
        """Give the days with provisional bars."""
        days = (
            select(market_bars.c.trading_day)
            .distinct()
            .where(market_bars.c.channel == self._scope.channel)
            .where(market_bars.c.symbol == symbol, market_bars.c.interval == interval)
            .where(market_bars.c.is_provisional)
            .order_by(market_bars.c.trading_day)
        )
        return tuple(row.trading_day for row in self._scope.rows(days))

    def put_gaps(self, gaps: Sequence[BarGap]) -> None:
        """Remember missing days."""
        for gap in gaps:
            added = insert(bar_gaps).values(channel=self._scope.channel, **columns_of(gap))
            key = [bar_gaps.c.channel, bar_gaps.c.symbol, bar_gaps.c.trading_day]
            reason = {"reason": added.excluded.reason}
            self._scope.changes(added.on_conflict_do_update(index_elements=key, set_=reason))

    def gaps(self, symbol: Symbol | None = None) -> tuple[BarGap, ...]:
        """Give the open gaps, by symbol and day."""
        query = own(bar_gaps).order_by(bar_gaps.c.symbol, bar_gaps.c.trading_day)
        if symbol is not None:
            query = query.where(bar_gaps.c.symbol == symbol)
        rows = self._scope.rows(query)
        return tuple(BarGap(Symbol(row.symbol), row.trading_day, row.reason) for row in rows)

    def _stage(self, bars: Sequence[Bar]) -> None:
        connection = self._scope.connection
        connection.execute(text(_STAGE))
        connection.execute(text("TRUNCATE staged_bars"))
        distinct = {(bar.symbol, bar.interval, bar.at, bar.source): bar for bar in bars}
        with self._scope.driver.cursor() as cursor, cursor.copy(_COPY.encode()) as copy:
            copy.set_types(_TYPES)
            for bar in distinct.values():
                figures = (getattr(bar, name) for name in _COLUMNS[1:])
                copy.write_row((self._scope.channel, *figures))

    def _make_partitions(self, bars: Sequence[Bar]) -> None:
        months = sorted({bar.at.astimezone(UTC).date().replace(day=1) for bar in bars})
        missing = [month for month in months if not self._has_partition(month)]
        if missing:
            # What attaching takes anyway: it stops neither readers nor writers, only other makers.
            self._scope.connection.execute(
                text("LOCK TABLE ONLY market_bars IN SHARE UPDATE EXCLUSIVE MODE")
            )
        for month in missing:
            if not self._has_partition(month):
                self._make_partition(month)

    def _has_partition(self, month: date) -> bool:
        found = text("SELECT to_regclass(:name) IS NOT NULL")
        return bool(self._scope.connection.scalar(found, {"name": _partition(month)}))

    def _make_partition(self, month: date) -> None:
        name, following = _partition(month), (month + timedelta(days=31)).replace(day=1)
        self._scope.connection.exec_driver_sql(
            f"CREATE TABLE {name} (LIKE market_bars INCLUDING ALL);"
            f"ALTER TABLE market_bars ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{month} 00:00+00') TO ('{following} 00:00+00');"
            "SELECT watch_bar_partitions()"
        )


def _partition(month: date) -> str:
    return f"market_bars_{month:%Y_%m}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), KST)


def _bar(row: Any) -> Bar:
    known = pick(row, Bar)
    return Bar(
        **known | {"symbol": Symbol(row.symbol), "interval": Interval(row.interval)},
    )
