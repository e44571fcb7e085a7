"""This is the levels of market indices in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, columns_of, own, pick
from adapters.postgres.tables import index_bars
from trading.indices import Index, IndexBar

_LEVELS: Final = ("open", "high", "low", "close")


class PostgresIndices:
    """The indices of one channel."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def upsert(self, bars: Sequence[IndexBar]) -> int:
        """Write days, replacing those that differ; give how many rows changed."""
        distinct = {(bar.index, bar.trading_day): bar for bar in bars}
        if not distinct:
            return 0
        rows = [{"channel": self._scope.channel, **columns_of(bar)} for bar in distinct.values()]
        added = insert(index_bars).values(rows)
        stored, latest = index_bars.c, added.excluded
        changed = added.on_conflict_do_update(
            index_elements=[stored.channel, stored.index, stored.trading_day],
            set_={name: latest[name] for name in _LEVELS},
            where=tuple_(*(stored[name] for name in _LEVELS)).is_distinct_from(
                tuple_(*(latest[name] for name in _LEVELS))
            ),
        )
        return self._scope.changes(changed)

    def between(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Give the days, oldest first."""
        query = (
            own(index_bars)
            .where(index_bars.c.index == index, index_bars.c.trading_day.between(first, last))
            .order_by(index_bars.c.trading_day)
        )
        known = (pick(row, IndexBar) for row in self._scope.rows(query))
        return tuple(IndexBar(**each | {"index": Index(each["index"])}) for each in known)
