"""This is how far consumers have read and what they took in, in PostgreSQL, in the transaction of the effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from adapters.event_stores import Partition
from adapters.postgres.scope import Scope, array_of, own
from adapters.postgres.tables import consumed_events, consumer_offsets

_TAKE: Final = text("""
    WITH given AS (SELECT unnest(CAST(:event_ids AS bigint[])) AS event_id),
    taken AS (
        INSERT INTO consumed_events (channel, account, consumer, event_id)
        SELECT :channel, :account, :consumer, event_id FROM given
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT event_id FROM given EXCEPT SELECT event_id FROM taken
""")
"""It gives what was known before: mostly nothing."""


class PostgresConsumptions:
    """The consumers of one account's events."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def offsets(self, consumer: str) -> dict[Partition, int]:
        """Give the offset of each partition from which the consumer goes on; locked until the end of the unit."""
        places = own(consumer_offsets).where(consumer_offsets.c.consumer == consumer)
        rows = self._scope.rows(places.order_by(*consumer_offsets.c).with_for_update())
        return {(row.topic, row.partition): row.next_offset for row in rows}

    def take(self, consumer: str, event_ids: Iterable[int]) -> set[int]:
        """Note events as taken in; give those that were not before."""
        given = set(event_ids)
        named = self._scope.owner | {"consumer": consumer, "event_ids": array_of(given)}
        return given - set(self._scope.connection.execute(_TAKE, named).scalars())

    def move(self, consumer: str, offsets: Mapping[Partition, int]) -> None:
        """Note from which offsets the consumer goes on."""
        named = self._scope.owner | {"consumer": consumer}
        rows = [
            named | {"topic": topic, "partition": partition, "next_offset": offset}
            for (topic, partition), offset in offsets.items()
        ]
        if rows:
            put = insert(consumer_offsets).values(rows)
            newer = {"next_offset": put.excluded.next_offset}
            key = [column.name for column in consumer_offsets.c][:-1]
            self._scope.changes(put.on_conflict_do_update(index_elements=key, set_=newer))

    def forget(self, consumer: str) -> None:
        """Let the consumer begin anew."""
        for table in (consumer_offsets, consumed_events):
            named = delete(table).filter_by(**self._scope.owner, consumer=consumer)
            self._scope.changes(named)
