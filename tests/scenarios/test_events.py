"""This is events from the outbox to what is built of them, through a real broker that comes and goes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
import pytest
from structlog.testing import capture_logs

from adapters.event_stores import FILL_TOPIC, ToldHolding, ToldOrder
from adapters.kafka.clusters import prepare
from adapters.kafka.envelopes import body_of
from adapters.kafka.readers import open_reader, read_letters
from adapters.kafka.writers import KafkaWriter
from adapters.memory.notifier import MemoryNotifier
from adapters.notifier import Severity
from adapters.postgres import PostgresStores
from adapters.stores import Stores, UnitOfWork
from adapters.wording import Wording
from risk.trips import TripLimits
from tasks.projecting import CONSUMER, RETRY_SECONDS, Projector, begin_anew, differences, rebuild
from tasks.relaying import Relay
from tests.builders import ACCOUNT, LG_CHEM, SAMSUNG
from tests.consoles import PROJECT
from tests.event_days import STEPS, trade_some
from tests.kafka_brokers import Broker, a_broker
from trading.orders import OrderStatus

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
LIMITS: Final = TripLimits(unsent_events_warning=20)

type Built = tuple[tuple[ToldOrder, ...], tuple[ToldHolding, ...]]


@pytest.fixture
def stores(postgres_url: str) -> Iterator[PostgresStores]:
    """The memory of an account whose events leave."""
    write = partial(body_of, owner=OWNER)
    opened = PostgresStores(postgres_url, channel="dev", account=ACCOUNT, body_of=write)
    with closing(opened):
        yield opened


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with an empty log."""
    with a_broker(tmp_path) as started:
        yield started


@pytest.fixture
async def relay(broker: Broker, stores: PostgresStores) -> AsyncIterator[Relay]:
    """A relay with every topic made."""
    await prepare(broker.settings)
    writer = KafkaWriter(broker.settings, OWNER)
    yield Relay(stores, writer, LIMITS, MemoryNotifier(), Wording("en"))
    await writer.close()


@asynccontextmanager
async def projecting(broker: Broker, relay: Relay) -> AsyncIterator[Projector]:
    """Open a projector, as a fresh process does."""
    async with open_reader(broker.settings) as reader:
        yield Projector(relay.stores, OWNER, reader, relay.writer, relay.notifier, relay.wording)


async def catch_up(broker: Broker, relay: Relay) -> None:
    """Take in everything that lies in the log, then go."""
    async with projecting(broker, relay) as projector:
        await projector.step()
        while await projector.step():
            pass


async def drain(relay: Relay) -> int:
    """Send everything that waits; give how many."""
    count = 0
    while sent := await relay.step():
        count += sent
    return count


def built(stores: Stores) -> Built:
    """Give what was built from events, once it is sure that the book says the same."""
    with stores.begin() as work:
        assert differences(work) == ()
        return work.projection.orders(), work.projection.holdings()


async def test_a_day_told_and_taken_in_is_the_book(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores)
    assert await drain(relay) == 10 * STEPS
    await catch_up(broker, relay)
    orders, holdings = built(stores)
    assert [order.status for order in orders] == [OrderStatus.FILLED] * 10
    assert sum(held.quantity for held in holdings) == 20


async def test_what_is_not_told_yet_is_a_difference(stores: PostgresStores) -> None:
    trade_some(stores, 2)
    with stores.begin() as work:
        assert len(differences(work)) == 2 + 2  # orders and holdings


async def test_events_told_twice_have_one_effect(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores)
    with stores.begin() as work:
        events = work.outbox.pending()
    await relay.writer.publish(
        events[:31]
    )  # acknowledged, and the relay dies before it can note it
    await drain(relay)
    await catch_up(broker, relay)
    built(stores)


async def test_a_topic_read_again_from_zero_rebuilds_the_same(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores)
    await drain(relay)
    await catch_up(broker, relay)
    before = built(stores)
    with stores.begin() as work:
        begin_anew(work)
        assert work.projection.orders() == ()
    await catch_up(broker, relay)
    assert built(stores) == before


async def test_the_outbox_alone_rebuilds_the_same(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores)
    assert rebuild(stores) == 10 * STEPS
    alone = built(stores)
    with stores.begin() as work:
        begin_anew(work)
    await drain(relay)
    await catch_up(broker, relay)
    assert built(stores) == alone


async def test_a_projector_at_work_follows_when_another_begins_anew(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores, 2)
    await drain(relay)
    async with projecting(broker, relay) as projector:
        while not await projector.step():
            pass
        with stores.begin() as work:
            begin_anew(work)
        for _ in range(3):
            await projector.step()
    built(stores)


async def test_a_kill_around_the_commit_neither_loses_nor_doubles(
    broker: Broker, relay: Relay, stores: PostgresStores, postgres_url: str
) -> None:
    trade_some(stores, 4)
    await drain(relay)
    deaths = 0
    for dies_after_commit in (False, True, False):
        dying = DyingStores(postgres_url, channel="dev", account=ACCOUNT)
        dying.dies_after_commit = dies_after_commit
        with closing(dying):
            async with projecting(broker, relay) as projector:
                projector.stores = dying
                with suppress(Killed):
                    for _ in range(4):
                        await projector.step()
                    deaths -= 1
                deaths += 1
    assert deaths >= 2
    await catch_up(broker, relay)
    built(stores)


class Killed(Exception):
    """The process is gone."""


class DyingStores(PostgresStores):
    """Stores whose process dies with the first unit of work that takes events in."""

    dies_after_commit = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work; die at its end if it has moved the consumer's place."""
        with super().begin() as work:
            before = work.consumptions.offsets(CONSUMER)
            yield work
            is_moved = work.consumptions.offsets(CONSUMER) != before
            if is_moved and not self.dies_after_commit:
                raise Killed
        if is_moved:
            raise Killed


async def test_bytes_that_are_no_event_are_put_aside_and_the_rest_goes_on(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores, 1)
    await drain(relay)
    async with open_reader(broker.settings) as reader:
        reader.seek({})
        while not (found := [r for rows in (await reader.take()).values() for r in rows]):
            pass
    writer = relay.writer
    assert isinstance(writer, KafkaWriter)
    await writer.put_back([found[0]._replace(value=b"no Avro")])
    trade_some(stores, 1, start=1)
    await drain(relay)
    await catch_up(broker, relay)
    built(stores)
    ((_, letter),) = await read_letters(broker.settings)
    assert (letter.record.value, letter.record.topic) == (b"no Avro", found[0].topic)
    assert "no Avro event" in letter.reason
    buried = letter.record
    async with open_reader(broker.settings) as reader:
        reader.seek({(buried.topic, buried.partition): buried.offset})
        lying = {r.place: r for rows in (await reader.take()).values() for r in rows}
    assert lying[buried.place] == buried, "the letter names the place where the bytes lie"
    notifier = relay.notifier
    assert isinstance(notifier, MemoryNotifier)
    assert [m.title for m in notifier.of(Severity.WARNING)] == [
        "1 events could not be read or written and were put aside"
    ]


async def test_an_event_that_no_table_holds_is_put_aside_and_the_rest_goes_on(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores, 2)
    with stores.begin() as work:
        fill = next(e for e in work.outbox.after(0) if e.topic == FILL_TOPIC)
    nameless = replace(fill, event_id=900, key="05191\0")
    vast = replace(fill, event_id=901, payload={**fill.payload, "value": 2**63 - 1, "tax": 9})
    great = replace(fill, event_id=902, payload={**fill.payload, "value": 2**63 - 9, "tax": 0})
    await relay.writer.publish([nameless, vast])
    await drain(relay)
    await relay.writer.publish([great])  # one that is too much for what is there
    await catch_up(broker, relay)
    built(stores)
    letters = [letter for _, letter in await read_letters(broker.settings)]
    assert [letter.record.key for letter in letters] == [b"05191\0", b"051910", b"051910"]
    assert sorted(letter.reason for letter in letters) == [
        "cannot be stored: Integer exceeds 64-bit range",
        "cannot be stored: bigint out of range",
        "execution.fill 900: without a key, or with NUL in its text",
    ]


async def test_a_database_that_refuses_events_ends_nothing_and_is_told_once(
    broker: Broker, relay: Relay, stores: PostgresStores, postgres_url: str
) -> None:
    trade_some(stores, 1)
    await drain(relay)
    notifier = relay.notifier
    assert isinstance(notifier, MemoryNotifier)
    with capture_logs() as logs:
        async with projecting(broker, relay) as projector:
            running = asyncio.ensure_future(projector.run())
            with refused(postgres_url):
                await until(lambda: bool(notifier.messages))
                await asyncio.sleep(2 * RETRY_SECONDS)
            await until(lambda: not projector.words and bool(projector.offsets))
            running.cancel()
    built(stores)
    (message,) = notifier.messages
    assert message.title == "Events are sent and not taken in"
    assert 'violates check constraint "no"' in message.text
    assert [line["event"] for line in logs] == ["events are not taken in"]


@contextmanager
def refused(url: str) -> Iterator[None]:
    """Let the database take no order that events tell of."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("ALTER TABLE told_orders ADD CONSTRAINT no CHECK (false) NOT VALID")
        try:
            yield
        finally:
            database.execute("ALTER TABLE told_orders DROP CONSTRAINT no")


async def test_another_account_s_events_are_not_taken_in(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    trade_some(stores, 1)
    await drain(relay)
    async with projecting(broker, relay) as projector:
        projector.owner = OWNER | {"account": "50099999-01"}
        while not await projector.step():
            pass
    with stores.begin() as work:
        assert work.projection.orders() == ()
        assert sum(work.consumptions.offsets(CONSUMER).values()) == STEPS


async def test_an_outage_warns_once_and_is_drained_in_order(
    broker: Broker, relay: Relay, stores: PostgresStores
) -> None:
    notifier = relay.notifier
    assert isinstance(notifier, MemoryNotifier)
    running = asyncio.ensure_future(relay.run())
    try:
        trade_some(stores, 1)
        await until(lambda: not waiting(stores))
        broker.stop()
        trade_some(stores, 4, start=1)
        for _ in range(2):
            relay.look()
        broker.start()
        await until(lambda: not waiting(stores))
        relay.look()
    finally:
        running.cancel()
    titles = [
        message.title for message in (*notifier.of(Severity.WARNING), *notifier.of(Severity.INFO))
    ]
    assert titles == ["Events do not reach Kafka", "All events that waited are sent"]
    await catch_up(broker, relay)
    built(stores)


def waiting(stores: Stores) -> int:
    """Count what the relay has not sent."""
    with stores.begin() as work:
        return work.outbox.backlog().count


async def until(is_true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110 - it is another process that changes it
            await asyncio.sleep(0.05)


async def test_the_example_of_another_program_counts_every_fill_once(
    broker: Broker, relay: Relay, stores: PostgresStores, tmp_path: Path
) -> None:
    words = [sys.executable, str(PROJECT / "docs/examples/follow_fills.py")]
    words += [str(broker.settings.kafka_bootstrap), str(PROJECT / "adapters/kafka/schemas")]
    for number in range(2):
        trade_some(stores, 2, start=2 * number)
        with stores.begin() as work:
            await relay.writer.publish(work.outbox.pending())  # told again below
        await drain(relay)
        example = await asyncio.create_subprocess_exec(
            *words, str(tmp_path / "book.sqlite"), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await example.communicate()
        assert json.loads(out) == {LG_CHEM: 2 * (number + 1), SAMSUNG: 2 * (number + 1)}
