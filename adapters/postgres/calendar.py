"""This is the broker's answers about trading days in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, own
from adapters.postgres.tables import trading_calendar


class PostgresCalendar:
    """Answers given on one channel."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put(self, days: Mapping[date, bool], *, at: datetime) -> None:
        """Write or replace."""
        columns = trading_calendar.c
        for day, is_open in days.items():
            answer = {"is_open": is_open, "answered_at": at}
            added = insert(trading_calendar).values(channel=self._scope.channel, day=day, **answer)
            key = [columns.channel, columns.day]
            self._scope.changes(added.on_conflict_do_update(index_elements=key, set_=answer))

    def all(self) -> dict[date, bool]:
        """Give all answers by day."""
        query = own(trading_calendar).order_by(trading_calendar.c.day)
        return {row.day: row.is_open for row in self._scope.rows(query)}
