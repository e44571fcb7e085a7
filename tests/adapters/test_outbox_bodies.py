"""This is events that are written as they will be told: what waits, what is kept, and what code before it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adapters.event_stores import OutboxEvent, WrittenEvent
from adapters.events import order_new, order_state
from adapters.kafka.envelopes import body_of, complete, encode
from adapters.postgres import PostgresStores
from tests.builders import ACCOUNT, an_accepted_order, an_order

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
EVENTS: Final = (order_new(an_order()), order_state(an_accepted_order(), detail="접수"))
WRITTEN_BEFORE: Final = """
    INSERT INTO outbox (channel, account, topic, key, payload, at, sent_at)
    SELECT channel, account, topic, key, payload, at, sent_at
    FROM jsonb_populate_recordset(CAST(NULL AS outbox), CAST(%s AS jsonb))
"""
READ_BEFORE: Final = """
    SELECT event_id, payload->>'client_order_id' FROM outbox
    WHERE channel = 'dev' AND sent_at IS NULL ORDER BY event_id
"""
NOTED_BEFORE: Final = "UPDATE outbox SET sent_at = now() WHERE event_id = ANY (%s)"


@contextmanager
def opened(url: str, write: Callable[[OutboxEvent], bytes] | None) -> Iterator[PostgresStores]:
    """Open a memory whose events are written by `write`."""
    stores = PostgresStores(url, channel="dev", account=ACCOUNT, body_of=write)
    with closing(stores):
        yield stores


@pytest.fixture
def telling(postgres_url: str) -> Iterator[PostgresStores]:
    """A memory whose events leave, with two of them."""
    with opened(postgres_url, partial(body_of, owner=OWNER)) as stores:
        tell(stores)
        yield stores


def tell(stores: PostgresStores) -> None:
    """Write the events."""
    with stores.begin() as work:
        for event in EVENTS:
            work.outbox.add(event)


def test_what_waits_is_told_byte_for_byte_as_from_its_payload(telling: PostgresStores) -> None:
    with telling.begin() as work:
        waiting, log = work.outbox.pending(), work.outbox.after(0)
    assert [replace(event, event_id=0) for event in log] == list(EVENTS)
    assert all(isinstance(event, WrittenEvent) for event in waiting)
    told = [complete(event) for event in waiting if isinstance(event, WrittenEvent)]
    assert told == [encode(event, OWNER) for event in log]


@pytest.mark.parametrize("error", [KeyError("reason"), RecursionError(), OSError("no schema")])
def test_what_cannot_be_written_so_ends_no_unit_of_work(
    postgres_url: str, error: Exception
) -> None:
    def fail(_: OutboxEvent) -> bytes:
        raise error

    with opened(postgres_url, fail) as stores:
        tell(stores)
        with stores.begin() as work:
            assert work.outbox.pending() == work.outbox.after(0)


def test_what_was_sent_is_kept_without_its_body(telling: PostgresStores, postgres_url: str) -> None:
    with telling.begin() as work:
        first, second = work.outbox.pending()
        work.outbox.sent([first.event_id])
        assert work.outbox.pending() == (second,)
        assert len(work.outbox.after(0)) == len(EVENTS)
    with psycopg.connect(postgres_url) as connection:
        kept = connection.execute("SELECT event_id FROM outbox WHERE body IS NOT NULL").fetchall()
    assert kept == [(second.event_id,)]


def test_code_from_before_reads_notes_and_writes_beside_it(
    telling: PostgresStores, postgres_url: str
) -> None:
    row = OWNER | {"topic": "order.new", "key": "051910", "at": EVENTS[0].at.isoformat()}
    with psycopg.connect(postgres_url) as connection:
        told = connection.execute(READ_BEFORE).fetchall()
        assert [name for _, name in told] == [e.payload["client_order_id"] for e in EVENTS]
        connection.execute(NOTED_BEFORE, ([number for number, _ in told],))
        connection.execute(WRITTEN_BEFORE, (Jsonb([row | {"payload": dict(EVENTS[0].payload)}]),))
    with telling.begin() as work:
        (event,) = work.outbox.pending()
        assert isinstance(event, OutboxEvent)
        assert replace(event, event_id=0) == EVENTS[0]
        assert work.outbox.backlog().count == 1
