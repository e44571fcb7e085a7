"""This is the way out of Kafka: assigned partitions, each from an offset that the caller keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from adapters.event_logs import DeadLetter, Record
from adapters.event_stores import OutboxEvent, Partition
from adapters.events import TOPICS
from adapters.kafka.clusters import DEAD_LETTERS, assigned, clear_errors
from adapters.kafka.envelopes import NO_NUMBERS, Numbers, decode
from adapters.kafka.registries import numbers_of
from adapters.kafka.settings import KafkaSettings

type Batch = Mapping[Partition, Sequence[Record]]

WAIT_MILLISECONDS: Final = 500
BATCH: Final = 4000
"""Records of one transaction of a consumer."""


class KafkaReader:
    """Reads records on one connection."""

    def __init__(
        self,
        settings: KafkaSettings,
        consumer: AIOKafkaConsumer,
        partitions: Sequence[TopicPartition],
        numbers: Numbers = NO_NUMBERS,
    ) -> None:
        self._numbers = numbers
        self._settings, self._consumer, self._partitions = settings, consumer, partitions

    def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Go on from these offsets, from 0 where none is named."""
        for each in self._partitions:
            self._consumer.seek(each, offsets.get((each.topic, each.partition), 0))

    async def take(self) -> Batch:
        """Give what has come, by partition and in order; nothing after half a second without anything.

        Raises:
            LogUnavailable: when Kafka refuses.
        """
        async with clear_errors(self._settings):
            found = await self._consumer.getmany(timeout_ms=WAIT_MILLISECONDS, max_records=BATCH)
        return {
            (place.topic, place.partition): [_record(row) for row in rows]
            for place, rows in found.items()
        }

    async def rest(self) -> int:
        """Count what lies behind the places that were read up to."""
        async with clear_errors(self._settings):
            ends = await self._consumer.end_offsets(list(self._partitions))
            return sum([ends[p] - await self._consumer.position(p) for p in self._partitions])

    def decode(self, record: Record) -> OutboxEvent:
        """Read one record.

        Raises:
            Undecodable: saying why.
        """
        return decode(record.topic, record.key, record.value, self._numbers)


@asynccontextmanager
async def open_reader(
    settings: KafkaSettings, topics: Sequence[str] = TOPICS
) -> AsyncIterator[KafkaReader]:
    """Connect to every partition of `topics`.

    Raises:
        LogUnavailable: when Kafka does not answer.
    """
    numbers = await numbers_of(settings)
    async with assigned(settings, topics) as (consumer, partitions):
        yield KafkaReader(settings, consumer, partitions, numbers)


async def read_letters(
    settings: KafkaSettings, topics: Sequence[str] = TOPICS
) -> list[tuple[Record, DeadLetter]]:
    """Give every dead letter of `topics`, where it lies and what it is, oldest first for each topic.

    Raises:
        LogUnavailable: when Kafka does not answer.
    """
    found: list[tuple[Record, DeadLetter]] = []
    async with assigned(settings, [f"{t}{DEAD_LETTERS}" for t in topics]) as (consumer, places):
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, begins[place])
        while any([await consumer.position(place) < ends[place] for place in places]):
            for rows in (await consumer.getmany(timeout_ms=WAIT_MILLISECONDS)).values():
                found += [(_record(row), _letter(row)) for row in rows]
    return sorted(found, key=lambda pair: (pair[0].topic, pair[0].partition, pair[0].offset))


def _letter(row: Any) -> DeadLetter:
    told = {name: value.decode("utf-8", "replace") for name, value in row.headers}
    topic = row.topic.removesuffix(DEAD_LETTERS)
    place = int(told.get("partition", -1)), int(told.get("offset", -1))
    record = Record(topic, *place, row.key or b"", row.value or b"")
    return DeadLetter(record, told.get("reason", ""))


def _record(row: Any) -> Record:
    return Record(row.topic, row.partition, row.offset, row.key or b"", row.value or b"")
