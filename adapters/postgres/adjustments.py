"""This is raw prices and the factors of their adjustment in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Final

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, asked, own, pick
from adapters.postgres.tables import bar_factors, raw_bars
from trading.adjustments import Adjustment, Factor
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.sessions import KST

_FIGURES: Final = (*("open", "high", "low", "close", "volume", "value"), "source", "is_provisional")
_AT_ONCE: Final = 5_000
"""Rows of one statement, whose parameters PostgreSQL counts in sixteen bits."""
_RAW: Final = asked(
    own(raw_bars)
    .where(raw_bars.c.symbol == bindparam("symbol"))
    .where(raw_bars.c.trading_day.between(bindparam("first"), bindparam("last")))
    .order_by(raw_bars.c.trading_day)
)


class PostgresAdjustments:
    """Those of one channel."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put_raw(self, bars: Sequence[Bar]) -> int:
        """Write raw daily bars, replacing those that differ; give how many rows changed."""
        distinct = list({(bar.symbol, bar.trading_day): bar for bar in bars}.values())
        parts = range(0, len(distinct), _AT_ONCE)
        return sum(self._put(distinct[start : start + _AT_ONCE]) for start in parts)

    def raw(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Give the raw bars of the days, oldest first."""
        rows = self._scope.rows(_RAW, symbol=symbol, first=first, last=last)
        return tuple(
            Bar(
                **pick(row, Bar) | {"symbol": symbol},
                interval=Interval.DAY,
                at=datetime.combine(row.trading_day, time(), KST).astimezone(UTC),
                is_adjusted=False,
            )
            for row in rows
        )

    def add(self, symbol: Symbol, factors: Sequence[Factor], *, at: datetime) -> Adjustment:
        """Write another version of a symbol's factors."""
        version = self._newest(symbol) + 1
        rows = [
            {
                "channel": self._scope.channel,
                "symbol": symbol,
                "version": version,
                "since": factor.since,
                "numerator": factor.ratio.numerator,
                "denominator": factor.ratio.denominator,
                "noted_at": at,
            }
            for factor in factors
        ]
        self._scope.changes(insert(bar_factors).values(rows))
        return Adjustment(version, tuple(factors))

    def get(self, symbol: Symbol, version: int | None = None) -> Adjustment | None:
        """Give a version, the newest if none is named."""
        wanted = version or self._newest(symbol)
        stored = bar_factors.c
        query = (
            own(bar_factors)
            .where(stored.symbol == symbol, stored.version == wanted)
            .order_by(stored.since)
        )
        factors = tuple(
            Factor(row.since, Fraction(row.numerator, row.denominator))
            for row in self._scope.rows(query)
        )
        return Adjustment(wanted, factors) if factors else None

    def _newest(self, symbol: Symbol) -> int:
        stored = bar_factors.c
        query = select(func.coalesce(func.max(stored.version), 0)).where(
            stored.channel == self._scope.channel, stored.symbol == symbol
        )
        return int(self._scope.rows(query)[0][0])

    def _put(self, bars: Sequence[Bar]) -> int:
        rows = [
            {"channel": self._scope.channel, "symbol": bar.symbol, "trading_day": bar.trading_day}
            | {name: getattr(bar, name) for name in _FIGURES}
            for bar in bars
        ]
        added = insert(raw_bars).values(rows)
        stored, latest = raw_bars.c, added.excluded
        changed = added.on_conflict_do_update(
            index_elements=[stored.channel, stored.symbol, stored.trading_day],
            set_={name: latest[name] for name in _FIGURES},
            where=tuple_(*(stored[name] for name in _FIGURES)).is_distinct_from(
                tuple_(*(latest[name] for name in _FIGURES))
            ),
        )
        return self._scope.changes(changed)
