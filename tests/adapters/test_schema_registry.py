"""This is Confluent's framing: numbers of a registry in front of the record, beside fingerprints of before."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest
from fastavro import parse_schema, schemaless_reader
from pydantic import SecretStr, ValidationError

from adapters.event_logs import LogUnavailable, Undecodable
from adapters.event_stores import OutboxEvent
from adapters.events import TOPICS, order_new
from adapters.kafka.clusters import prepare
from adapters.kafka.envelopes import (
    NUMBERED_HEADER,
    UnknownSchema,
    decode,
    encode,
    fingerprint_of,
    versions_of,
)
from adapters.kafka.readers import open_reader
from adapters.kafka.registries import numbers_of
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import KafkaWriter
from tests.builders import ACCOUNT, an_order
from tests.kafka_brokers import Broker, a_broker
from tests.schema_registries import Registry, a_registry
from trading.errors import InvalidSetting

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
EVENT: Final = replace(order_new(an_order()), event_id=7)
TOLD: Final = replace(EVENT, payload={**EVENT.payload, **OWNER})
KEY: Final = EVENT.key.encode()


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    """An empty registry."""
    async with a_registry() as running:
        yield running


@pytest.fixture
def settings(registry: Registry) -> KafkaSettings:
    """A Kafka that nobody asks, and the registry."""
    return KafkaSettings(kafka_bootstrap="127.0.0.1:1", kafka_registry=SecretStr(registry.url))


async def test_a_message_begins_with_zero_and_its_schema_s_number(
    registry: Registry, settings: KafkaSettings
) -> None:
    numbers = await numbers_of(settings)
    value = encode(EVENT, OWNER, numbers)
    mark, number = struct.unpack(">bI", value[:NUMBERED_HEADER])
    assert (mark, number) == (
        0,
        numbers.given["order.new", fingerprint_of(versions_of("order.new")[-1])],
    )
    (text,) = [each for each, known in registry.numbers.items() if known == number]
    assert text == registry.subjects["order.new-value"][-1]
    body = BytesIO(value[NUMBERED_HEADER:])
    record = schemaless_reader(
        body, parse_schema(json.loads(text)), None
    )  # as any consumer reads it
    assert isinstance(record, dict)
    assert (record["event_id"], record["symbol"]) == (7, EVENT.key)
    assert decode("order.new", KEY, value, numbers) == TOLD


async def test_what_was_written_before_the_registry_is_read_too(settings: KafkaSettings) -> None:
    assert decode("order.new", KEY, encode(EVENT, OWNER), await numbers_of(settings)) == TOLD


async def test_a_number_that_nobody_knows_is_named(settings: KafkaSettings) -> None:
    value = b"\0" + (7).to_bytes(4) + encode(EVENT, OWNER)[10:]
    for numbers in (await numbers_of(settings), await numbers_of(KafkaSettings())):
        with pytest.raises(UnknownSchema, match="number 7 of the registry is unknown here"):
            decode("order.new", KEY, value, numbers)
    with pytest.raises(Undecodable, match="begins with 000000"):
        decode("order.new", KEY, b"\0\0\0", await numbers_of(settings))


async def test_every_version_has_its_number_and_keeps_it(settings: KafkaSettings) -> None:
    numbers = await numbers_of(settings)
    assert {topic for topic, _ in numbers.given} == set(TOPICS)
    assert len(numbers.known) == sum(len(versions_of(topic)) for topic in TOPICS)
    assert await numbers_of(settings) == numbers
    may_not = settings.model_copy(update={"kafka_create_topics": False})
    assert await numbers_of(may_not) == numbers


async def test_a_missing_schema_that_may_not_be_made_is_named(settings: KafkaSettings) -> None:
    may_not = settings.model_copy(update={"kafka_create_topics": False})
    with pytest.raises(InvalidSetting, match=r"CREATE_TOPICS.*market\.bar-value"):
        await numbers_of(may_not)


async def test_a_registry_that_refuses_a_schema_is_one_sentence(
    registry: Registry, settings: KafkaSettings
) -> None:
    other = {**versions_of("order.new")[-1], "name": "Other"}
    registry.subjects["order.new-value"] = [json.dumps(other)]
    with pytest.raises(InvalidSetting, match=r"KAFKA_REGISTRY.*order\.new-value \(409 Schema"):
        await numbers_of(settings)


async def test_a_registry_that_is_not_there_is_one_sentence_without_its_password() -> None:
    url = SecretStr("http://reader:secret@127.0.0.1:1")
    with pytest.raises(LogUnavailable, match=r"^schema registry 127\.0\.0\.1: ") as refused:
        await numbers_of(KafkaSettings(kafka_registry=url))
    assert "secret" not in str(refused.value)


def test_a_registry_on_another_machine_needs_tls() -> None:
    with pytest.raises(ValidationError, match="https"):
        KafkaSettings(kafka_registry=SecretStr("http://registry.example"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with an empty log."""
    with a_broker(tmp_path) as started:
        yield started


async def test_a_topic_holds_both_framings_and_a_reader_takes_both(
    broker: Broker, registry: Registry
) -> None:
    plain = broker.settings
    framed = plain.model_copy(update={"kafka_registry": SecretStr(registry.url)})
    await prepare(plain)
    for number, settings in enumerate((plain, framed), start=1):
        writer = KafkaWriter(settings, OWNER)
        await writer.publish([replace(EVENT, event_id=number)])
        await writer.close()
    found, marks = await _read(framed, 2)
    assert [event.event_id for event in found] == [1, 2]
    assert marks == [b"\xc3", b"\0"]
    await prepare(framed)
    with pytest.raises(InvalidSetting, match="of the registry is unknown here"):
        await prepare(plain)  # who does not know the numbers does not start


async def _read(settings: KafkaSettings, count: int) -> tuple[list[OutboxEvent], list[bytes]]:
    found: list[OutboxEvent] = []
    marks: list[bytes] = []
    async with open_reader(settings) as reader:
        reader.seek({})
        while len(found) < count:
            for records in (await reader.take()).values():
                found += map(reader.decode, records)
                marks += [record.value[:1] for record in records]
    return found, marks
