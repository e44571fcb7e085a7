"""This is how quick events are: from the outbox to a consumer, beside the bare producer and consumer of aiokafka."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, process_time
from typing import Final

from aiokafka import AIOKafkaProducer
from fastavro import parse_schema, schemaless_writer

from adapters.event_logs import Record
from adapters.event_stores import OutboxEvent
from adapters.events import ORDER_NEW, order_new
from adapters.kafka.clusters import connection_of, prepare
from adapters.kafka.envelopes import HEADER, body_of, encode, versions_of
from adapters.kafka.readers import KafkaReader
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import KafkaWriter
from adapters.memory.notifier import MemoryNotifier
from adapters.postgres import PostgresStores
from adapters.wording import Wording
from bench.event_consumers import DATABASE, OWNER, at_the_end, take_until
from bench.figures import Aim, Samples, Section
from bench.places import ACCOUNT, SYMBOLS, Place
from risk.trips import TripLimits
from tasks.projecting import Projector, begin_anew
from tasks.relaying import Relay
from tests.builders import an_accepted_order
from tests.kafka_brokers import a_broker

BARE: Final = {"channel": "bare", "account": ACCOUNT}
EVENTS: Final = 20_000
ROUNDS: Final = 3
TOLD_OF_EACH: Final = 4
SHARE: Final = 0.6
"""Of the bare client's pace that the way from the outbox to a consumer should reach."""
NOTES: Final = (
    "Latency: from before the commit of the event to its record in the consumer's hands, one event at a time.",
    f"Pace: {EVENTS:,} events of orders, {ROUNDS} times on each way in turn, as time for 1,000. On every way the consumer is a process of its own,",
    "which waits 2 ms after an empty answer: this broker answers at once that there is nothing, Kafka waits. And it reads its",
    "whole log for that answer, up to 20 ms at 120,000 events, Kafka an index: so each round of each way has a broker of its own.",
    "Bare: aiokafka's own send() of bytes that are ready, idempotent, acks=all, and getmany(). With fastavro: the same, both ends with the event itself.",
    "To a consumer: outbox, idempotent producer, acks=all, noted as sent; consumer, the event itself in its hands. The Avro record",
    "lies in the outbox, written with the event before the clock runs; the relay numbers and frames it.",
    "With its effect: the same with the projector as consumer: event number, effect and offset in PostgreSQL.",
    "CPU: of our process alone, each end by itself. The broker is noida-db on this machine, PostgreSQL with fsync.",
)


@dataclass(frozen=True)
class _Ways:
    """What every way needs."""

    settings: KafkaSettings
    relay: Relay
    database_url: str
    events: Sequence[OutboxEvent]
    rows: Sequence[tuple[str, bytes, bytes]]
    """The events as the bare producer sends them, another account's."""
    cpu: dict[str, float] = field(default_factory=dict)


type _Open = Callable[[], AbstractAsyncContextManager[_Ways]]


@asynccontextmanager
async def _a_broker_anew(
    place: Place,
    stores: PostgresStores,
    events: Sequence[OutboxEvent],
    rows: Sequence[tuple[str, bytes, bytes]],
) -> AsyncIterator[_Ways]:
    """Start a broker with an empty log: this one reads all of it to say that there is nothing new."""
    with stores.begin() as work:
        begin_anew(work)
    with TemporaryDirectory(prefix="maemae-bench-") as folder, a_broker(Path(folder)) as broker:
        await prepare(broker.settings)
        writer = KafkaWriter(broker.settings, OWNER)
        relay = Relay(stores, writer, TripLimits(), MemoryNotifier(), Wording("en"))
        yield _Ways(broker.settings, relay, place.database_url, events, rows)
        await writer.close()


async def measure_events(place: Place, samples: int) -> Section:
    """Measure `samples` latencies, and the pace of `EVENTS` events on each way."""
    events = _events(EVENTS)
    rows = [(e.topic, e.key.encode(), encode(e, BARE)) for e in events]
    opened = PostgresStores(
        place.database_url,
        channel="dev",
        account=ACCOUNT,
        body_of=partial(body_of, owner=OWNER),
    )
    with closing(opened) as stores:
        open_ways = partial(_a_broker_anew, place, stores, events, rows)
        async with open_ways() as ways:
            waits = await _latencies(ways.settings, ways.relay, samples)
        paces = await _paces(open_ways)
        async with open_ways() as ways:
            await _ends(ways)
    bare, decoded = (median(paces[name]) for name in ("bare", "decoded"))
    return Section(
        "Events from the outbox to a consumer",
        [
            Samples("outbox to consumer", waits),
            *(Samples(f"1,000 events, {_NAMES[way]}", times) for way, times in paces.items()),
            *(Samples(f"CPU of 1,000 events, {name}", [took]) for name, took in ways.cpu.items()),
        ],
        [Aim(f"1,000 events, decoded, below the bare time / {SHARE}", decoded, bare / SHARE)],
        NOTES,
    )


def _events(count: int) -> list[OutboxEvent]:
    """Tell of orders, `TOLD_OF_EACH` events of each, as they have in an ordinary life."""
    told: list[OutboxEvent] = []
    for n in range(count // TOLD_OF_EACH + 1):
        name = {"symbol": SYMBOLS[n % len(SYMBOLS)], "client_order_id": f"20180116-bench-B-{n:016}"}
        figures = {"quantity": 1 + n % 300, "limit_price": 500 * (n % 4000 + 1)}
        told += [order_new(an_accepted_order(f"{n:010}", **name, **figures))] * TOLD_OF_EACH
    return [
        replace(event, event_id=number, at=event.at + timedelta(microseconds=number))
        for number, event in enumerate(told[:count], start=1)
    ]


_NAMES: Final = {
    "bare": "bare producer and consumer",
    "fastavro": "bare with fastavro",
    "decoded": "outbox to a consumer, decoded",
    "effects": "outbox to a consumer, with its effect",
}


async def _paces(open_ways: _Open) -> dict[str, list[float]]:
    """Take each way in turn, each with a log of its own; give the seconds of 1,000 events each time."""
    took = defaultdict(list)
    for _ in range(ROUNDS):
        for way in _NAMES:
            async with open_ways() as ways:
                took[way].append(await _pace(ways, way, await _prepared(ways, way)))
    return took


async def _prepared(ways: _Ways, way: str) -> Callable[[], Awaitable[None]]:
    """Do what is done before the clock runs; give what sends."""
    if way == "bare":
        return lambda: _send(ways.settings, ways.rows)
    if way == "fastavro":
        return lambda: _send(ways.settings, _by_fastavro(ways.events))
    await asyncio.to_thread(_tell, ways.relay, ways.events[:1])
    await _drain(ways.relay)
    await asyncio.to_thread(_tell, ways.relay, ways.events)
    return lambda: _drain(ways.relay)


async def _pace(ways: _Ways, way: str, send: Callable[[], Awaitable[None]]) -> float:
    """Let a consumer listen, and send until it has all; give the seconds of 1,000 events."""
    words = ["-m", "bench.event_consumers", ways.settings.kafka_bootstrap or "", way, str(EVENTS)]
    surroundings = {**os.environ, DATABASE: ways.database_url}
    consumer = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=surroundings, stdout=PIPE
    )
    lines = consumer.stdout or asyncio.StreamReader()  # a pipe was asked for
    await lines.readline()
    began = monotonic()
    await send()
    took = float(await lines.readline()) - began
    await consumer.wait()
    return took / (EVENTS / 1000)


async def _send(settings: KafkaSettings, rows: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Send with aiokafka alone."""
    producer = AIOKafkaProducer(
        **connection_of(settings), enable_idempotence=True, acks="all", linger_ms=5
    )
    await producer.start()
    for topic, key, value in rows:
        await producer.send(topic, value, key=key)
    await producer.flush()
    await producer.stop()


def _by_fastavro(events: Iterable[OutboxEvent]) -> Iterator[tuple[str, bytes, bytes]]:
    """Write one event after the other with fastavro alone."""
    schema = parse_schema(versions_of(ORDER_NEW)[-1])
    header = encode(next(iter(events)), BARE)[:HEADER] if events else b""
    for event in events:
        buffer = BytesIO()
        record = {**event.payload, **BARE, "event_id": event.event_id, "told_at": event.at}
        schemaless_writer(buffer, schema, record)
        yield event.topic, event.key.encode(), header + buffer.getvalue()


async def _drain(relay: Relay) -> None:
    while await relay.step():
        pass


async def _look(reader: KafkaReader, look: Callable[[Record], object]) -> int:
    """Take what has come, and `look` at each."""
    found = await reader.take()
    return len([look(record) for records in found.values() for record in records])


@asynccontextmanager
async def _a_reader(settings: KafkaSettings) -> AsyncIterator[KafkaReader]:
    async with at_the_end(settings) as consumer:
        yield KafkaReader(settings, consumer, sorted(consumer.assignment()))


async def _latencies(settings: KafkaSettings, relay: Relay, samples: int) -> list[float]:
    """Tell one event after the other while the relay runs."""
    waits = []
    async with _a_reader(settings) as reader:
        running = asyncio.ensure_future(relay.run())
        for event in _events(samples):
            began = perf_counter()
            await asyncio.to_thread(_tell, relay, [event])
            while not await _take_one(reader):
                pass
            waits.append(perf_counter() - began)
        running.cancel()
    return waits


async def _take_one(reader: KafkaReader) -> Sequence[Record]:
    return [record for records in (await reader.take()).values() for record in records]


async def _ends(ways: _Ways) -> None:
    """Let every end of both ways work alone, and count its CPU: what is read lies there already."""
    relay, settings = ways.relay, ways.settings
    with _timed(ways.cpu, "bare producer"):
        await _send(settings, ways.rows)
    await asyncio.to_thread(_tell, relay, ways.events)
    with _timed(ways.cpu, "relay"):
        await _drain(relay)
    async with _a_reader(settings) as reader:
        reader.seek({})
        with _timed(ways.cpu, "consumer"):
            await take_until(EVENTS, lambda: _look(reader, bool))
        reader.seek({})
        with _timed(ways.cpu, "consumer, decoding"):
            await take_until(EVENTS, lambda: _look(reader, reader.decode))
        stores, notifier = relay.stores, relay.notifier
        projector = Projector(stores, OWNER, reader, relay.writer, notifier, relay.wording)
        while await projector.step():
            pass
    await asyncio.to_thread(_tell, relay, ways.events)
    await _drain(relay)
    async with _a_reader(settings) as reader:
        projector = replace(projector, reader=reader, offsets=None)
        with _timed(ways.cpu, "projector, into the database"):
            await take_until(EVENTS, projector.step)


@contextmanager
def _timed(took: dict[str, float], name: str) -> Iterator[None]:
    """Count the CPU time of this process: what else runs on the machine says little about it."""
    began = process_time()
    yield
    took[name] = (process_time() - began) / (EVENTS / 1000)


def _tell(relay: Relay, events: Sequence[OutboxEvent]) -> None:
    with relay.stores.begin() as work:
        for event in events:
            work.outbox.add(event)
