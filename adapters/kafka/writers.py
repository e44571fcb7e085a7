"""This is the way into Kafka: batches of the idempotent producer, in order for each partition, acknowledged by all."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from adapters.event_logs import DeadLetter, LogUnavailable, Record, Undecodable
from adapters.event_stores import OutboxEvent, Partition, WaitingEvent, WrittenEvent
from adapters.kafka.clusters import (
    DEAD_LETTERS,
    REQUEST_MILLISECONDS,
    clear_errors,
    connection_of,
    prepare,
)
from adapters.kafka.envelopes import NO_NUMBERS, Numbers, complete, encode
from adapters.kafka.registries import numbers_of
from adapters.kafka.settings import KafkaSettings

type _Headers = list[tuple[str, bytes]]
type _Row = tuple[bytes, bytes, _Headers]
"""What a batch is given: key, value, headers."""

BATCH_BYTES: Final = 512 * 1024
"""What the relay reads at once is one batch for each partition; Kafka takes a megabyte, unless it is set otherwise."""
LARGEST_BYTES: Final = 1_000_000
"""Of one event: what Kafka takes at most unless it is set otherwise, less what frames it."""
PATIENCE_SECONDS: Final = 10.0
"""How long an acknowledgement may take before a new producer tries."""
CLOSE_SECONDS: Final = 2.0
_NO_HEADERS: Final[_Headers] = []
_choose: Final = DefaultPartitioner()
"""Kafka's own choice, so that every other producer puts a symbol where we do."""


class KafkaWriter:
    """Tells one account's events. It connects when there is something to tell, and again after a failure.

    Raises:
        InvalidSetting: from every method, when Kafka is not as it must be, see `prepare`.
    """

    def __init__(self, settings: KafkaSettings, owner: Mapping[str, str]) -> None:
        self._settings, self._owner = settings, owner
        self._producer: AIOKafkaProducer | None = None
        self._numbers = NO_NUMBERS if settings.kafka_registry is None else None

    async def publish(self, events: Sequence[WaitingEvent]) -> Sequence[DeadLetter]:
        """Write events in their order for each key; what cannot be encoded or is too large is buried and given back.

        Raises:
            LogUnavailable: when not all were acknowledged.
        """
        messages, letters = [], []
        numbers = await self._known_numbers()
        for event in events:
            value = self._value_of(event, numbers)
            if isinstance(value, DeadLetter):
                letters.append(value)
            elif len(value) > LARGEST_BYTES:
                letters.append(_too_large(event, len(value)))
            else:
                messages.append((event.topic, (event.key.encode(), value, _NO_HEADERS)))
        await self._send(messages)
        await self.bury(letters)
        return letters

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters: the bytes as they are, the reason and the place in headers.

        Raises:
            LogUnavailable: when not all were acknowledged.
        """
        await self._send((f"{each.record.topic}{DEAD_LETTERS}", _grave(each)) for each in letters)

    async def put_back(self, records: Sequence[Record]) -> None:
        """Write the bytes of records to the topics that they were meant for, once more.

        Raises:
            LogUnavailable: when not all were acknowledged.
        """
        await self._send((each.topic, (each.key, each.value, _NO_HEADERS)) for each in records)

    async def close(self) -> None:
        """Close the connections. What is not acknowledged by then is told again another time."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        ending = asyncio.ensure_future(producer.stop())
        if not (await asyncio.wait([ending], timeout=CLOSE_SECONDS))[0]:
            # It waits for Kafka to come back. Without its sender it ends when what is on the wire times out.
            asyncio.ensure_future(producer._sender.close())  # noqa: SLF001, RUF006 - `ending` waits for it
            await asyncio.wait([ending], timeout=2 * REQUEST_MILLISECONDS / 1000)

    def _value_of(self, event: WaitingEvent, numbers: Numbers) -> bytes | DeadLetter:
        if isinstance(event, WrittenEvent):
            return complete(event, numbers)
        try:
            return encode(event, self._owner, numbers)
        except Undecodable as error:
            return _letter(event, str(error))

    async def _send(self, messages: Iterable[tuple[str, _Row]]) -> None:
        """Send all; the partitions side by side, within one a batch only after the last one's acknowledgement."""
        waiting = tuple(messages)
        if not waiting:
            return
        try:
            async with clear_errors(self._settings), asyncio.timeout(PATIENCE_SECONDS):
                producer = await self._connect()
                topics = {topic for topic, _ in waiting}
                numbers = {t: tuple(sorted(await producer.partitions_for(t))) for t in topics}
                piles: dict[Partition, list[_Row]] = defaultdict(list)
                for topic, row in waiting:
                    piles[topic, _partition_of(row[0], numbers[topic])].append(row)
                await asyncio.gather(*(_send_pile(producer, *pile) for pile in piles.items()))
        except LogUnavailable:
            await self.close()
            raise

    async def _known_numbers(self) -> Numbers:
        """Ask the registry once; a schema's number never changes."""
        if self._numbers is None:
            self._numbers = await numbers_of(self._settings)
        return self._numbers

    async def _connect(self) -> AIOKafkaProducer:
        if self._producer is None:
            await prepare(self._settings)
            producer = AIOKafkaProducer(
                **connection_of(self._settings),
                enable_idempotence=True,
                acks="all",
                max_batch_size=BATCH_BYTES,
            )
            self._producer = producer
            await producer.start()
        return self._producer


@lru_cache(maxsize=10_000)
def _partition_of(key: bytes, numbers: tuple[int, ...]) -> int:
    """Choose once for each symbol: the hash is plain Python's."""
    chosen: int = _choose(key, numbers, numbers)
    return chosen


async def _send_pile(producer: AIOKafkaProducer, place: Partition, pile: Sequence[_Row]) -> None:
    topic, partition = place
    batch = producer.create_batch()
    for key, value, headers in pile:
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    await (await producer.send_batch(batch, topic, partition=partition))


def _grave(letter: DeadLetter) -> _Row:
    record = letter.record
    told = {"reason": letter.reason, "partition": record.partition, "offset": record.offset}
    return record.key, record.value, [(name, str(words).encode()) for name, words in told.items()]


def _too_large(event: WaitingEvent, size: int) -> DeadLetter:
    """Name an event whose bytes would be refused in every topic."""
    reason = f"event {event.event_id} has {size:,} bytes, at most {LARGEST_BYTES:,} can be sent; it stays in the outbox"
    return DeadLetter(Record(event.topic, -1, -1, event.key.encode(), b""), reason)


def _letter(event: OutboxEvent, reason: str) -> DeadLetter:
    """Keep an event that has no bytes yet as JSON."""
    told = {"event_id": event.event_id, "at": event.at.isoformat(), "payload": dict(event.payload)}
    value = json.dumps(told, ensure_ascii=False).encode()
    return DeadLetter(Record(event.topic, -1, -1, event.key.encode(), value), reason)
