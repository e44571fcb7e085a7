"""This is the outbox in PostgreSQL: events committed with their effect, relayed later."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import outbox
from adapters.stores import OutboxEvent


class PostgresOutbox:
    """Events of one account."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, event: OutboxEvent) -> None:
        """Write one event; the database numbers it."""
        columns = {**columns_of(event, without=("event_id",)), "payload": dict(event.payload)}
        self._scope.changes(insert(outbox), self._scope.owner | columns)

    def pending(self, *, limit: int = 1000) -> tuple[OutboxEvent, ...]:
        """Give the oldest unsent events."""
        query = self._scope.own(outbox).where(outbox.c.sent_at.is_(None))
        rows = self._scope.rows(query.order_by(outbox.c.event_id).limit(limit))
        return tuple(OutboxEvent(**pick(row, OutboxEvent)) for row in rows)
