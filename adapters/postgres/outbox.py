"""This is the outbox in PostgreSQL: events committed with their effect, relayed later, kept as a log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Select, Text, case, cast, func, text, type_coerce
from sqlalchemy.types import NullType

from adapters.event_stores import Backlog, OutboxEvent, WaitingEvent, WrittenEvent
from adapters.postgres.scope import Scope, array_of, columns_of, own
from adapters.postgres.tables import outbox

_EVENT: Final = (
    outbox.c.topic,
    outbox.c.key,
    cast(outbox.c.payload, Text).label("payload"),
    outbox.c.at,
    outbox.c.event_id,
)
"""The columns of an event; the payload as text, which is read in a quarter of the time."""
_WAITING: Final = (
    outbox.c.topic,
    outbox.c.key,
    outbox.c.event_id,
    type_coerce(outbox.c.body, NullType()).label("body"),
    case((outbox.c.body.is_(None), cast(outbox.c.payload, Text))).label("payload"),
    case((outbox.c.body.is_(None), outbox.c.at)).label("at"),
)
"""The columns of an event that waits: its body, or what it would be made of."""
_SENT: Final = text("""
    UPDATE outbox SET sent_at = now(), body = NULL
    WHERE event_id = ANY (CAST(:event_ids AS bigint[]))
""")
_NOTING: Final = text(
    "SELECT set_config('synchronous_commit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)
"""Do not wait for the disk: what a crash of the database forgets to be sent is sent again, and counts once. And plan for
the table as it is: a plan kept from when it was small reads all of it for each event."""


class PostgresOutbox:
    """Events of one account."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, event: OutboxEvent) -> None:
        """Write one event; the database numbers it."""
        columns = {**columns_of(event, without=("event_id",)), "payload": dict(event.payload)}
        self._scope.keep(outbox, {**columns, "body": self._body_of(event)})

    def pending(self, *, limit: int = 1000, behind: Sequence[int] = ()) -> tuple[WaitingEvent, ...]:
        """Give the oldest unsent events, or those behind the ones on their way."""
        waiting = own(outbox).where(outbox.c.sent_at.is_(None))
        if behind:
            last = max(behind)
            before = waiting.where(outbox.c.event_id <= last).with_only_columns(func.count())
            is_all = before.scalar_subquery() == len(behind)
            waiting = waiting.where(outbox.c.event_id > last, is_all)
        rows = self._rows(waiting.with_only_columns(*_WAITING), limit)
        return tuple(
            OutboxEvent(topic, key, orjson.loads(payload), at, event_id)
            if body is None
            else WrittenEvent(topic, key, event_id, body)
            for topic, key, event_id, body, payload, at in rows
        )

    def sent(self, event_ids: Sequence[int]) -> None:
        """Note that these need not be relayed any more, in a unit of work of its own."""
        self._scope.write()
        self._scope.connection.execute(_NOTING)
        self._scope.changes(_SENT, {"event_ids": array_of(event_ids)})

    def backlog(self) -> Backlog:
        """Tell how many are unsent, and how long the oldest has been, by the database's clock."""
        age = (func.clock_timestamp() - func.min(outbox.c.written_at)).label("age")
        waiting = own(outbox).where(outbox.c.sent_at.is_(None))
        self._scope.write()
        (row,) = self._scope.rows(waiting.with_only_columns(func.count().label("events"), age))
        return Backlog(row.events, row.age or timedelta())

    def after(self, event_id: int, *, limit: int = 1000) -> tuple[OutboxEvent, ...]:
        """Read the log."""
        behind = own(outbox).where(outbox.c.event_id > event_id)
        return tuple(
            OutboxEvent(topic, key, orjson.loads(payload), at, event_id)
            for topic, key, payload, at, event_id in self._rows(
                behind.with_only_columns(*_EVENT), limit
            )
        )

    def _rows(self, query: Select[Any], limit: int) -> Sequence[Any]:
        self._scope.write()
        return self._scope.rows(query.order_by(outbox.c.event_id).limit(limit))

    def _body_of(self, event: OutboxEvent) -> str | None:
        """Write what the event is told as; nothing that is wrong with it may end the unit of work."""
        if self._scope.body_of is None:
            return None
        try:
            return f"\\x{self._scope.body_of(event).hex()}"
        except Exception:  # noqa: BLE001 - the relay meets it again, and puts the event aside
            return None
