"""This is a consumer of events in a process of its own, as consumers are: it says when it listens and when it has them all."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from io import BytesIO
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from fastavro import parse_schema, schemaless_reader

from adapters.events import ORDER_NEW
from adapters.kafka.clusters import assigned
from adapters.kafka.envelopes import HEADER, versions_of
from adapters.kafka.readers import BATCH, WAIT_MILLISECONDS, KafkaReader
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import KafkaWriter
from adapters.memory.notifier import MemoryNotifier
from adapters.postgres import PostgresStores
from adapters.wording import Wording
from bench.places import ACCOUNT
from tasks.projecting import Projector

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
TOPICS: Final = (ORDER_NEW,)
"""Only what is told is read."""
DATABASE: Final = "BENCH_DATABASE_URL"
EMPTY_SECONDS: Final = 0.002
_SCHEMA: Final = parse_schema(versions_of(ORDER_NEW)[-1])

type Take = Callable[[], Awaitable[int]]
"""What takes in some events, and gives how many."""


async def consume(settings: KafkaSettings, way: str, count: int) -> None:
    """Say "ready", take `count` events in, and say the moment of the last one by the machine's own clock."""
    async with at_the_end(settings) as consumer:
        reader = KafkaReader(settings, consumer, sorted(consumer.assignment()))
        if way == "effects":
            await _project(settings, reader, count)
        else:
            take = {"bare": _bare, "fastavro": _by_fastavro, "decoded": _decoded}[way]
            await _listen(count, lambda: take(reader, consumer))


async def _project(settings: KafkaSettings, reader: KafkaReader, count: int) -> None:
    with closing(PostgresStores(os.environ[DATABASE], channel="dev", account=ACCOUNT)) as stores:
        writer = KafkaWriter(settings, OWNER)
        projector = Projector(stores, OWNER, reader, writer, MemoryNotifier(), Wording("en"))
        while await projector.step():
            pass
        await _listen(count, projector.step)


async def _listen(count: int, take: Take) -> None:
    _say("ready")
    await take_until(count, take)
    _say(str(monotonic()))


async def take_until(count: int, take: Take) -> None:
    """Take in so many events."""
    while count > 0:
        count -= await take()


async def _bare(_: KafkaReader, consumer: AIOKafkaConsumer) -> int:
    found = await consumer.getmany(timeout_ms=WAIT_MILLISECONDS, max_records=BATCH)
    return sum(map(len, found.values()))


async def _by_fastavro(_: KafkaReader, consumer: AIOKafkaConsumer) -> int:
    found = await consumer.getmany(timeout_ms=WAIT_MILLISECONDS, max_records=BATCH)
    values = [row.value for rows in found.values() for row in rows]
    return len([schemaless_reader(BytesIO(value[HEADER:]), _SCHEMA, None) for value in values])


async def _decoded(reader: KafkaReader, _: AIOKafkaConsumer) -> int:
    found = await reader.take()
    return len([reader.decode(record) for records in found.values() for record in records])


@asynccontextmanager
async def at_the_end(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer behind all that lies there."""
    async with assigned(settings, TOPICS) as (consumer, partitions):
        for partition, end in (await consumer.end_offsets(partitions)).items():
            await consumer.position(partition)  # its own first choice, which would come in later
            consumer.seek(partition, end)
        _wait_when_empty(consumer)
        yield consumer


def _wait_when_empty(consumer: AIOKafkaConsumer) -> None:
    """Let it wait where Kafka would let it: noida-db answers at once, and would be asked thousands of times a second."""
    client = consumer._client  # noqa: SLF001 - nothing public lies between consumer and broker
    send = client.send

    async def patient(node: object, request: Any, **how: Any) -> Any:
        reply = await send(node, request, **how)
        if "Fetch" in type(reply).__name__ and not any(
            part[-1] for _, parts in reply.topics for part in parts
        ):
            await asyncio.sleep(EMPTY_SECONDS)
        return reply

    client.send = patient


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    bootstrap, way, count = sys.argv[1:]
    asyncio.run(consume(KafkaSettings(kafka_bootstrap=bootstrap), way, int(count)))
