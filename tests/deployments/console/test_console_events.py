"""This is `maemae events` and `maemae dlq`: without Kafka, with a real broker, and with one that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.event_logs import DeadLetter, Record
from adapters.event_stores import OutboxEvent
from adapters.events import order_new
from adapters.kafka.envelopes import decode
from adapters.kafka.readers import open_reader
from adapters.kafka.writers import KafkaWriter
from adapters.postgres import PostgresStores
from tests.builders import ACCOUNT, an_order
from tests.consoles import Console
from tests.event_days import STEPS, trade_some
from tests.kafka_brokers import Broker, a_broker

OWNER = {"channel": "dev", "account": ACCOUNT}


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker that the settings name."""
    with a_broker(tmp_path) as started:
        monkeypatch.setenv("MAEMAE_KAFKA_BOOTSTRAP", f"127.0.0.1:{started.port}")
        yield started


@pytest.mark.usefixtures("database")
def test_without_kafka_the_outbox_is_the_log(console: Console, stores: PostgresStores) -> None:
    trade_some(stores, 3)
    document = console("events", "--json").document
    assert 0 <= document.pop("oldest_seconds") < 60
    assert document == {
        "kafka": None,
        "waiting": 3 * STEPS,
        "taken_in": 0,
        "told_otherwise": 0,
    }
    assert f"Built anew from {3 * STEPS} events" in console("events", "rebuild").out
    assert console("events", "--json").document["told_otherwise"] == 0
    with stores.begin() as work:
        assert len(work.projection.orders()) == 3
    trade_some(stores, 1, start=3)
    assert (
        console("events", "--json").document["told_otherwise"] == 3
    )  # an order, both words on a holding


@pytest.mark.usefixtures("database")
def test_without_kafka_there_are_no_dead_letters_and_it_says_so(console: Console) -> None:
    answer = console("dlq", "list")
    assert (answer.code, answer.out) == (2, "")
    assert "MAEMAE_KAFKA_BOOTSTRAP" in answer.err


@pytest.mark.usefixtures("database")
def test_a_kafka_that_is_not_there_is_one_sentence(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    answer = console("dlq", "list")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "127.0.0.1:1" in answer.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"BOOTSTRAP": "kafka.home:9092"}, "MAEMAE_KAFKA_TLS=true, because kafka.home"),
        (
            {"BOOTSTRAP": "127.0.0.1:9092,kafka.home:9092"},
            "MAEMAE_KAFKA_TLS=true, because kafka.home",
        ),
        ({"BOOTSTRAP": "9092"}, "host:port"),
        ({"BOOTSTRAP": "127.0.0.1:1", "CA_FILE": "/nowhere.pem"}, "a file with certificates"),
        ({"BOOTSTRAP": "127.0.0.1:1", "SASL": "PLAIN", "PASSWORD": ""}, "a password"),
        ({"BOOTSTRAP": "127.0.0.1:1", "SASL": "GSSAPI"}, "SCRAM-SHA-512"),
        ({"BOOTSTRAP": "127.0.0.1:1", "PARTITIONS": "0"}, "MAEMAE_KAFKA_PARTITIONS"),
    ],
)
@pytest.mark.usefixtures("database")
def test_a_wrong_setting_is_named_with_what_would_be_right(
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    words: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MAEMAE_KAFKA_{name}", value)
    answer = console("dlq", "list")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert words in answer.err


@pytest.mark.usefixtures("database")
def test_a_dead_letter_is_listed_shown_and_put_back(console: Console, broker: Broker) -> None:
    event = replace(order_new(an_order()), event_id=7)
    bad = {**event.payload, "venue": "KRX"}  # a field that today's schema does not have
    asyncio.run(bury(broker, replace(event, payload=bad)))
    (row,) = console("dlq", "list", "--json").document["letters"]
    assert (row["topic"], row["offset"], row["symbol"]) == ("order.new", -1, "051910")
    assert "venue" in row["reason"]
    assert not row["is_replayed"]
    assert '"venue": "KRX"' in console("dlq", "show", row["letter"]).out

    refused = console("dlq", "replay", row["letter"])  # it fits no better than before
    assert (refused.code, "venue" in refused.err) == (2, True)
    assert "order.new.dlq:0:99" in console("dlq", "replay", "order.new.dlq:0:99").err


@pytest.mark.usefixtures("database")
def test_bytes_that_lay_in_their_topic_go_back_as_they_are(
    console: Console, broker: Broker
) -> None:
    asyncio.run(bury_what_was_read(broker))
    (row,) = console("dlq", "list", "--json").document["letters"]
    assert console("dlq", "replay", row["letter"]).code == 0
    (act,) = console("audit", "--json").document["rows"]
    assert (act["actor"], act["action"]) == ("operator", "dlq replay")
    (row,) = console("dlq", "list", "--json").document["letters"]
    assert row["is_replayed"]
    assert asyncio.run(numbers(broker, 2)) == [7, 7]


async def bury(broker: Broker, event: OutboxEvent) -> None:
    """Tell an event that is none."""
    writer = KafkaWriter(broker.settings, OWNER)
    await writer.publish([event])
    await writer.close()


async def bury_what_was_read(broker: Broker) -> None:
    """Tell an event, and make a dead letter of its record."""
    writer = KafkaWriter(broker.settings, OWNER)
    await writer.publish([replace(order_new(an_order()), event_id=7)])
    (record,) = await read(broker, 1)
    await writer.bury([DeadLetter(record, "nobody could use it")])
    await writer.close()


async def read(broker: Broker, count: int) -> list[Record]:
    """Read so many records from the beginning."""
    found: list[Record] = []
    async with open_reader(broker.settings) as reader:
        reader.seek({})
        while len(found) < count:
            found += [row for rows in (await reader.take()).values() for row in rows]
    return found


async def numbers(broker: Broker, count: int) -> list[int]:
    """Read the numbers of so many events."""
    return [decode(r.topic, r.key, r.value).event_id for r in await read(broker, count)]
