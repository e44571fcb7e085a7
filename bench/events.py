"""This is how quick events are: from the outbox to a consumer, beside the bare producer and consumer of aiokafka."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from time import perf_counter, process_time
from typing import Final

from aiokafka import AIOKafkaProducer

from adapters.event_logs import Record
from adapters.event_stores import OutboxEvent
from adapters.events import ORDER_NEW, order_new
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
TOLD_OF_EACH: Final = 4
TOPICS: Final = (ORDER_NEW,)
"""Only what is told is read: this broker answers a look into an empty topic at once, a real one waits."""
SHARE: Final = 0.6
"""Of the bare client's pace that the whole way should reach."""
NOTES: Final = (
    "Latency: from before the commit of the event to its record in the consumer's hands, one event at a time.",
    f"Pace: {EVENTS:,} events of orders, as time for 1,000. Whole way: outbox, Avro, idempotent producer, consumer, effect in PostgreSQL.",
    "Bare: aiokafka's own send() of the same bytes, idempotent, acks=all, and getmany(), in the same run.",
    "CPU: of our process alone, each end by itself. Relay and decoding take more than the bare ones mostly for Avro by fastavro, the projector for its database.",
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
            parts = await _parts(settings, relay)
            await writer.close()
    return Section(
        "Events from the outbox to a consumer",
        [
            Samples("outbox to consumer", waits),
            Samples("1,000 events, the whole way", whole),
            Samples("1,000 events, bare producer and consumer", bare),
            *(Samples(f"CPU of 1,000 events, {name}", [took]) for name, took in parts.items()),
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
    """Tell of orders, `TOLD_OF_EACH` events of each, as they have in an ordinary life."""
    orders = [
        an_order(symbol=SYMBOLS[n % len(SYMBOLS)], client_order_id=f"20180116-bench-B-{n:016}")
        for n in range(count // TOLD_OF_EACH + 1)
    ]
    told = [order_new(orders[n // TOLD_OF_EACH]) for n in range(count)]
    return [replace(event, event_id=number) for number, event in enumerate(told, start=1)]


def _rows() -> list[tuple[str, bytes, bytes]]:
    """Give events as another account's, for the bare ways."""
    return [(e.topic, e.key.encode(), encode(e, BARE)) for e in _events(EVENTS)]


async def _bare(settings: KafkaSettings) -> list[float]:
    """Send and receive with aiokafka alone; give the seconds of each 1,000 received."""
    rows = _rows()
    async with open_reader(settings, TOPICS) as reader:
        reader.seek({})
        receiving = asyncio.ensure_future(_receive(reader, EVENTS))
        await _send(settings, rows)
        return await receiving


async def _send(settings: KafkaSettings, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
    """Send with aiokafka alone."""
    producer = AIOKafkaProducer(
        **connection_of(settings), enable_idempotence=True, acks="all", linger_ms=5
    )
    await producer.start()
    for topic, key, value in rows:
        await producer.send(topic, value, key=key)
    await producer.flush()
    await producer.stop()


async def _receive(
    reader: KafkaReader, count: int, *, look: Callable[[Record], object] | None = None
) -> list[float]:
    """Take `count` records, and `look` at each; give the seconds of 1,000."""
    began, seen = perf_counter(), 0
    while seen < count:
        for records in (await reader.take()).values():
            seen += len(records)
            if look is not None:
                deque(map(look, records), maxlen=0)
    return [(perf_counter() - began) / (count / 1000)]


async def _latencies(settings: KafkaSettings, relay: Relay, samples: int) -> list[float]:
    """Tell one event after the other while the relay runs."""
    waits = []
    async with open_reader(settings, TOPICS) as reader:
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
    async with open_reader(settings, TOPICS) as reader:
        projector = _projector(relay, reader)
        while await projector.step():
            pass
        await asyncio.to_thread(_tell, relay, _events(EVENTS))
        began = perf_counter()
        running = asyncio.ensure_future(relay.run())
        await _take_in(projector)
        took = perf_counter() - began
        running.cancel()
    return [took / (EVENTS / 1000)]


async def _take_in(projector: Projector) -> None:
    seen = 0
    while seen < EVENTS:
        seen += await projector.step()


async def _parts(settings: KafkaSettings, relay: Relay) -> dict[str, float]:
    """Let every end of both ways work alone; give the CPU seconds of 1,000 events."""
    took: dict[str, float] = {}
    rows = _rows()
    with _timed(took, "bare producer"):
        await _send(settings, rows)
    async with open_reader(settings, TOPICS) as reader:
        projector = _projector(relay, reader)
        while await projector.step():
            pass
        reader.seek({})
        with _timed(took, "bare consumer"):
            await _receive(reader, EVENTS)
        reader.seek({})
        with _timed(took, "consumer, decoding"):
            await _receive(reader, EVENTS, look=reader.decode)
    await asyncio.to_thread(_tell, relay, _events(EVENTS))
    with _timed(took, "relay, from the outbox"):
        while await relay.step():
            pass
    async with open_reader(settings, TOPICS) as reader:
        projector = _projector(relay, reader)
        with _timed(took, "projector, into the database"):
            await _take_in(projector)
    return took


@contextmanager
def _timed(took: dict[str, float], name: str) -> Iterator[None]:
    """Count the CPU time of this process: what else runs on the machine says little about it."""
    began = process_time()
    yield
    took[name] = (process_time() - began) / (EVENTS / 1000)


def _projector(relay: Relay, reader: KafkaReader) -> Projector:
    return Projector(relay.stores, OWNER, reader, relay.writer, relay.notifier, relay.wording)


def _tell(relay: Relay, events: Sequence[OutboxEvent]) -> None:
    with relay.stores.begin() as work:
        for event in events:
            work.outbox.add(event)


def _mean(times: Sequence[float]) -> float:
    return sum(times) / len(times)
