"""This is reaching Kafka: how to connect, and whether everything that is needed is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from aiokafka.protocol.metadata import MetadataRequest

from adapters.addresses import is_loopback
from adapters.event_logs import LogUnavailable, Undecodable
from adapters.events import TOPICS
from adapters.kafka.envelopes import Numbers, UnknownSchema, schema_of
from adapters.kafka.registries import numbers_of
from adapters.kafka.security import security_of
from adapters.kafka.settings import KafkaSettings
from trading.errors import InvalidSetting

DEAD_LETTERS: Final = ".dlq"
EVERY_TOPIC: Final = (*TOPICS, *(f"{topic}{DEAD_LETTERS}" for topic in TOPICS))
REQUEST_MILLISECONDS: Final = 5_000
_KEPT: Final = {"retention.ms": "-1"}
"""Nothing is thrown away: what is rebuilt from a topic is rebuilt from its first event."""
_LOOK_SECONDS: Final = 5.0
_SILENCE: Final = "no answer"
logging.getLogger("aiokafka").setLevel(
    logging.CRITICAL
)  # ten lines a second while Kafka is away; we say it once


def connection_of(settings: KafkaSettings) -> dict[str, Any]:
    """Give what every client of aiokafka is opened with."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "client_id": "maemae",
        "request_timeout_ms": REQUEST_MILLISECONDS,
        **security_of(settings),
    }
    return options


async def prepare(settings: KafkaSettings) -> Numbers:
    """See that Kafka answers, has every topic (missing ones are made, if that is allowed) and nothing newer than us.

    Gives what the schema registry calls our schemas, if one is set.

    Raises:
        LogUnavailable: naming the address and why it does not answer.
        InvalidSetting: when topics or schemas are missing that may not be made, a newer version of maemae wrote
            there, or it sends us on to another machine without TLS.
    """
    await _knock(settings)
    numbers = await numbers_of(settings)
    async with clear_errors(settings):
        await _make_topics(settings)
        await _look_at_newest(settings, numbers)
    return numbers


async def _knock(settings: KafkaSettings) -> None:
    """Connect to one of the addresses and see where it sends us; aiokafka itself would only log why it cannot."""
    reason = ""
    for address in (settings.kafka_bootstrap or "").split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"),
                int(port),
                client_id="maemae",
                request_timeout_ms=REQUEST_MILLISECONDS,
                **security_of(settings),
            )
            try:
                _require_tls(settings, address, await connection.send(MetadataRequest([])))
            finally:
                connection.close()
        except (OSError, KafkaError, TimeoutError) as error:
            reason = f"{address}: {str(error) or _SILENCE}"
        else:
            return
    raise LogUnavailable(f"Kafka {reason}")


def _require_tls(settings: KafkaSettings, address: str, metadata: Any) -> None:
    """Refuse brokers on other machines without TLS: a tunnel's near end may send everybody on to its far one."""
    for _, host, *_ in metadata.brokers:
        if not settings.kafka_tls and not is_loopback(host):
            expected = f"true, because Kafka at {address} sends us on to {host}"
            raise InvalidSetting("MAEMAE_KAFKA_TLS", False, expected)  # noqa: FBT003 - the value


async def _make_topics(settings: KafkaSettings) -> None:
    admin = AIOKafkaAdminClient(**connection_of(settings))
    try:
        await admin.start()
        await _add_missing(admin, settings)
    finally:
        await admin.close()


async def _add_missing(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> None:
    known = set(await admin.list_topics())
    missing = [topic for topic in EVERY_TOPIC if topic not in known]
    if missing and not settings.kafka_create_topics:
        expected = f"true, or these topics on {settings.kafka_bootstrap}: {', '.join(missing)}"
        raise InvalidSetting("MAEMAE_KAFKA_CREATE_TOPICS", False, expected)  # noqa: FBT003 - the value
    counts = settings.kafka_partitions, settings.kafka_replication
    for topic in missing:
        try:
            await admin.create_topics([NewTopic(topic, *counts, topic_configs=_KEPT)])
        except TopicAlreadyExistsError:
            continue  # another process was quicker


async def _look_at_newest(settings: KafkaSettings, numbers: Numbers) -> None:
    """Read the newest event of every partition: what cannot be read was written by a newer version."""
    async with assigned(settings, TOPICS) as (consumer, partitions):
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        waiting = {each for each in partitions if ends[each] > begins[each]}
        for each in waiting:
            consumer.seek(each, ends[each] - 1)
        async with asyncio.timeout(_LOOK_SECONDS):
            while waiting:
                for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                    waiting.discard(partition)
                    _require_known(records, numbers)


def _require_known(records: Sequence[Any], numbers: Numbers) -> None:
    for record in records:
        try:
            schema_of(record.topic, record.value or b"", numbers)
        except UnknownSchema as error:
            place = f"{record.topic}:{record.partition}:{record.offset}"
            raise InvalidSetting("MAEMAE_KAFKA_BOOTSTRAP", place, str(error)) from None
        except Undecodable:
            continue  # a consumer makes a dead letter of it


@asynccontextmanager
async def assigned(
    settings: KafkaSettings, topics: Sequence[str]
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """Open a consumer without a group, and give it with every partition of `topics`, assigned to it.

    Raises:
        LogUnavailable: when Kafka does not answer.
        InvalidSetting: when it sends us on to another machine without TLS.
    """
    await _knock(settings)
    consumer = AIOKafkaConsumer(
        *topics,
        **connection_of(settings),
        group_id=None,  # nobody assigns but we: every partition, and the offsets are ours to keep
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # a log that lost its records is read again; what is known is not taken twice
        fetch_max_wait_ms=100,
    )
    async with clear_errors(settings):
        try:
            await consumer.start()
            yield consumer, sorted(consumer.assignment())
        finally:
            await consumer.stop()


@asynccontextmanager
async def clear_errors(settings: KafkaSettings) -> AsyncIterator[None]:
    """Turn what aiokafka raises into one sentence with the address.

    Raises:
        LogUnavailable: when Kafka does not answer, or answers no.
    """
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        words = f"Kafka {settings.kafka_bootstrap}: {str(error) or _SILENCE}"
        raise LogUnavailable(words) from error
