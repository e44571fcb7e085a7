"""This is how quick events are: from the outbox to a consumer, beside the bare producer and consumer of aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import Final

from aiokafka import AIOKafkaProducer

from adapters.event_logs import Record
from adapters.event_stores import OutboxEvent
from adapters.events import order_new
from adapters.kafka.clusters import connection_of, prepare
from adapters.kafka.envelopes import encode
from adapters.kafka.readers import KafkaReader, open_reader
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import KafkaWriter
from adapters.memory.notifier import MemoryNotifier
from adapters.postgres import PostgresStores
from adapters.wording import Wording
from bench.figures import Aim, Samples, Section
from bench.places import ACCOUNT, SYMBOLS, Place
from risk.trips import TripLimits
from tasks.projecting import Projector
from tasks.relaying import Relay
from tests.builders import an_order
from tests.kafka_brokers import a_broker

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
BARE: Final = {"channel": "bare", "account": ACCOUNT}
EVENTS: Final = 20_000
SHARE: Final = 0.6
"""Of the bare client's pace that the whole way should reach."""
NOTES: Final = (
    "Latency: from before the commit of the event to its record in the consumer's hands, one event at a time.",
    f"Pace: {EVENTS:,} events of orders, as time for 1,000. Whole way: outbox, Avro, idempotent producer, consumer, effect in PostgreSQL.",
    "Bare: aiokafka's own send() of the same bytes, idempotent, acks=all, and getmany(), in the same run.",
    "The broker is noida-db on this machine, PostgreSQL with fsync.",
)


async def measure_events(place: Place, samples: int) -> Section:
    """Measure `samples` latencies, and the pace of `EVENTS` events on each way."""
    with a_broker(place.home) as broker:
        settings = broker.settings
        await prepare(settings)
        bare = await _bare(settings)
        stores = PostgresStores(place.database_url, channel="dev", account=ACCOUNT)
        with closing(stores):
            writer = KafkaWriter(settings, OWNER)
            relay = Relay(stores, writer, TripLimits(), MemoryNotifier(), Wording("en"))
            waits = await _latencies(settings, relay, samples)
            whole = await _whole(settings, relay)
            await writer.close()
    return Section(
        "Events from the outbox to a consumer",
        [
            Samples("outbox to consumer", waits),
            Samples("1,000 events, the whole way", whole),
            Samples("1,000 events, bare producer and consumer", bare),
        ],
        [
            Aim(
                f"1,000 events below the bare time / {SHARE}",
                _mean(whole),
                _mean(bare) / SHARE,
            )
        ],
        NOTES,
    )


def _events(count: int) -> list[OutboxEvent]:
    symbols = SYMBOLS * (count // len(SYMBOLS) + 1)
    return [replace(order_new(an_order(symbol=symbols[n])), event_id=n + 1) for n in range(count)]


async def _bare(settings: KafkaSettings) -> list[float]:
    """Send and receive with aiokafka alone; give the seconds of each 1,000 received."""
    rows = [(e.topic, e.key.encode(), encode(e, BARE)) for e in _events(EVENTS)]
    async with open_reader(settings) as reader:
        reader.seek({})
        receiving = asyncio.ensure_future(_receive(reader, EVENTS))
        producer = AIOKafkaProducer(
            **connection_of(settings), enable_idempotence=True, acks="all", linger_ms=5
        )
        await producer.start()
        for topic, key, value in rows:
            await producer.send(topic, value, key=key)
        await producer.flush()
        times = await receiving
        await producer.stop()
    return times


async def _receive(reader: KafkaReader, count: int) -> list[float]:
    began, seen, times = perf_counter(), 0, []
    while seen < count:
        seen += sum(map(len, (await reader.take()).values()))
        times.append(perf_counter() - began)
    return [times[-1] / (count / 1000)]


async def _latencies(settings: KafkaSettings, relay: Relay, samples: int) -> list[float]:
    """Tell one event after the other while the relay runs."""
    waits = []
    async with open_reader(settings) as reader:
        reader.seek({})
        await _receive(reader, EVENTS)
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


async def _whole(settings: KafkaSettings, relay: Relay) -> list[float]:
    """Fill the outbox, then let relay and projector run until all of it is taken in."""
    async with open_reader(settings) as reader:
        projector = _projector(relay, reader)
        while await projector.step():
            pass
        await asyncio.to_thread(_tell, relay, _events(EVENTS))
        began, seen = perf_counter(), 0
        running = asyncio.ensure_future(relay.run())
        while seen < EVENTS:
            seen += await projector.step()
        took = perf_counter() - began
        running.cancel()
    return [took / (EVENTS / 1000)]


def _projector(relay: Relay, reader: KafkaReader) -> Projector:
    return Projector(relay.stores, OWNER, reader, relay.writer, relay.notifier, relay.wording)


def _tell(relay: Relay, events: Sequence[OutboxEvent]) -> None:
    with relay.stores.begin() as work:
        for event in events:
            work.outbox.add(event)


def _mean(times: Sequence[float]) -> float:
    return sum(times) / len(times)
