"""This is events through a real broker: in order, acknowledged, found again, and refused in one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from adapters.event_logs import LogUnavailable, Record
from adapters.event_stores import OutboxEvent
from adapters.events import order_new
from adapters.kafka.clusters import EVERY_TOPIC, connection_of, prepare
from adapters.kafka.envelopes import HEADER, MARK, encode
from adapters.kafka.readers import KafkaReader, open_reader, read_letters
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import LARGEST_BYTES, KafkaWriter
from tests.builders import ACCOUNT, HYUNDAI, LG_CHEM, NAVER, SAMSUNG, an_order
from tests.kafka_brokers import Broker, a_broker
from trading.errors import InvalidSetting

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
SYMBOLS: Final = (LG_CHEM, SAMSUNG, HYUNDAI, NAVER)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with an empty log."""
    with a_broker(tmp_path) as started:
        yield started


@pytest.fixture
async def writer(broker: Broker) -> AsyncIterator[KafkaWriter]:
    """A producer with every topic made."""
    await prepare(broker.settings)
    opened = KafkaWriter(broker.settings, OWNER)
    yield opened
    await opened.close()


def events(count: int, start: int = 1) -> list[OutboxEvent]:
    """Give events of four symbols in turn, numbered from `start`."""
    numbers = range(start, start + count)
    return [
        replace(order_new(an_order(symbol=SYMBOLS[n % len(SYMBOLS)])), event_id=n) for n in numbers
    ]


async def read(settings: KafkaSettings, count: int) -> dict[str, list[int]]:
    """Read `count` events from the beginning; give their numbers by symbol, as they come."""
    found: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
    async with open_reader(settings) as reader:
        reader.seek({})
        while sum(map(len, found.values())) < count:
            for records in (await reader.take()).values():
                for event in map(reader.decode, records):
                    found[event.key].append(event.event_id)
        assert await reader.rest() == 0
    return found


async def test_the_order_of_a_symbol_holds_through_many_batches(
    broker: Broker, writer: KafkaWriter
) -> None:
    for start in range(1, 3000, 1000):
        assert await writer.publish(events(1000, start)) == []
    found = await read(broker.settings, 3000)
    assert all(numbers == sorted(set(numbers)) for numbers in found.values())
    assert sum(map(len, found.values())) == 3000


async def test_a_broker_that_was_away_gets_the_rest_in_order(
    broker: Broker, writer: KafkaWriter
) -> None:
    await writer.publish(events(10))
    broker.stop()
    broker.start()
    await writer.publish(events(10, 11))
    found = await read(broker.settings, 20)
    assert [sorted(set(numbers)) for numbers in found.values()] == list(found.values())


async def test_a_broker_that_hangs_is_given_up_and_nothing_is_lost(
    broker: Broker, writer: KafkaWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.publish(events(4))
    broker.pause()
    monkeypatch.setattr("adapters.kafka.writers.PATIENCE_SECONDS", 0.5)
    with pytest.raises(LogUnavailable, match="no answer"):
        await writer.publish(events(4, 5))
    broker.resume()
    monkeypatch.undo()
    await writer.publish(events(4, 5))
    found = await read(broker.settings, 8)
    assert {n for numbers in found.values() for n in numbers} == set(range(1, 9))


async def test_dead_letters_keep_bytes_reason_and_place(
    broker: Broker, writer: KafkaWriter
) -> None:
    bad = replace(events(1)[0], payload={"reason": "점심"})
    (buried,) = await writer.publish([bad, *events(1)])
    ((place, letter),) = await read_letters(broker.settings)
    assert letter == buried
    assert (place.topic, letter.record.topic, letter.record.offset) == (
        "order.new.dlq",
        "order.new",
        -1,
    )
    assert "client_order_id" in letter.reason
    assert "점심".encode() in letter.record.value
    assert sum(map(len, (await read(broker.settings, 1)).values())) == 1


async def test_an_event_that_kafka_would_refuse_for_ever_holds_nothing_up(
    broker: Broker, writer: KafkaWriter
) -> None:
    first, large, last = events(3)
    large = replace(large, payload={**large.payload, "reason": "점" * (LARGEST_BYTES // 3)})
    (buried,) = await writer.publish([first, large, last])
    assert buried.reason.startswith("event 2 has 1,000,")
    assert "it stays in the outbox" in buried.reason
    ((_, letter),) = await read_letters(broker.settings)
    assert letter == buried
    found = await read(broker.settings, 2)
    assert sorted(n for numbers in found.values() for n in numbers) == [1, 3]


async def test_what_is_put_back_lies_in_its_topic_again(
    broker: Broker, writer: KafkaWriter
) -> None:
    (event,) = events(1)
    await writer.publish([event])
    async with open_reader(broker.settings) as reader:
        reader.seek({})
        ((record,),) = [r for r in (await reader.take()).values() if r]
        await writer.put_back([record])
    assert [*(await read(broker.settings, 2)).values()].count([1, 1]) == 1


async def test_missing_topics_are_made_or_named(broker: Broker) -> None:
    may_not = broker.settings.model_copy(update={"kafka_create_topics": False})
    with pytest.raises(InvalidSetting, match=r"CREATE_TOPICS.*market\.bar.*risk\.event\.dlq"):
        await prepare(may_not)
    await prepare(broker.settings)
    await prepare(may_not)


async def test_topics_that_we_make_throw_nothing_away(broker: Broker) -> None:
    await prepare(broker.settings)
    admin = AIOKafkaAdminClient(**connection_of(broker.settings))
    await admin.start()
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in EVERY_TOPIC]
    (answer,) = await admin.describe_configs(asked)
    await admin.close()
    kept = [[e[1] for e in entries if e[0] == "retention.ms"] for *_, entries in answer.resources]
    assert kept == [["-1"]] * len(EVERY_TOPIC)


async def test_nobody_there_is_one_sentence(broker: Broker) -> None:
    broker.stop()
    with pytest.raises(LogUnavailable, match=rf"^Kafka 127\.0\.0\.1:{broker.port}: .*Connect"):
        await prepare(broker.settings)


async def test_a_broker_without_tls_is_one_sentence(broker: Broker) -> None:
    wrong = KafkaSettings(kafka_tls=True, kafka_bootstrap=f"127.0.0.1:{broker.port}")
    with pytest.raises(LogUnavailable, match=r"^Kafka 127"):
        await prepare(wrong)


async def test_a_log_of_a_newer_version_is_refused_at_the_start(
    broker: Broker, writer: KafkaWriter
) -> None:
    (event,) = events(1)
    newer = MARK + b"\1" * 8 + encode(event, OWNER)[HEADER:]
    async with open_reader(broker.settings) as reader:
        record = (await _first(writer, reader, event))._replace(value=newer)
    await writer.put_back([record])
    with pytest.raises(InvalidSetting, match=r"order\.new:.*0101010101010101 is unknown here"):
        await prepare(broker.settings)


async def _first(writer: KafkaWriter, reader: KafkaReader, event: OutboxEvent) -> Record:
    await writer.publish([event])
    reader.seek({})
    while True:
        for records in (await reader.take()).values():
            return records[0]


def test_every_topic_has_its_dead_letters() -> None:
    assert len(EVERY_TOPIC) == 12
    assert {f"{topic}.dlq" for topic in EVERY_TOPIC[:6]} == set(EVERY_TOPIC[6:])


async def test_a_tunnel_that_sends_us_on_to_another_machine_is_refused(broker: Broker) -> None:
    async with a_tunnel(broker.port) as (port, asked):
        settings = KafkaSettings(kafka_bootstrap=f"127.0.0.1:{port}")
        told = f"MAEMAE_KAFKA_TLS=False: true, because Kafka at 127.0.0.1:{port} sends us on to 192.0.2.7"
        with pytest.raises(InvalidSetting, match=told):
            await prepare(settings)
        with pytest.raises(InvalidSetting, match=told):
            async with open_reader(settings):
                pass
    assert len(asked) == 2, "nobody goes on before that is known"


@asynccontextmanager
async def a_tunnel(broker: int) -> AsyncIterator[tuple[int, list[int]]]:
    """Open a way to the broker that names its far end, of which no port is open here; tell who comes in."""
    asked: list[int] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        theirs, forth = await asyncio.open_connection("127.0.0.1", broker)

        async def back() -> None:
            while content := await theirs.read(65_536):
                writer.write(content.replace(b"127.0.0.1", b"192.0.2.7"))
            writer.close()

        answers = asyncio.create_task(back())
        while content := await reader.read(65_536):
            forth.write(content)
        forth.close()
        await answers

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
