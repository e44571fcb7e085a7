"""This is Kafka behind TLS and a password: events go through, and a wrong password is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from adapters.event_logs import LogUnavailable
from adapters.events import order_new
from adapters.kafka.clusters import prepare
from adapters.kafka.readers import open_reader
from adapters.kafka.settings import KafkaSettings
from adapters.kafka.writers import KafkaWriter
from tests.builders import ACCOUNT, an_order
from tests.kafka_brokers import Broker, a_broker
from tests.kafka_doors import PASSWORD, USER, Door, a_door

OWNER: Final = {"channel": "dev", "account": ACCOUNT}
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with an empty log."""
    with a_broker(tmp_path) as started:
        yield started


def settings_of(door: Door, **changes: object) -> KafkaSettings:
    """Give the settings that open it."""
    settings = {
        "kafka_bootstrap": f"127.0.0.1:{door.port}",
        "kafka_tls": True,
        "kafka_ca_file": door.certificate,
        "kafka_sasl": door.mechanism,
        "kafka_username": USER,
        "kafka_password": SecretStr(PASSWORD),
    }
    return KafkaSettings.model_validate(settings | changes)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_events_go_through_tls_and_a_password(
    broker: Broker, tmp_path: Path, mechanism: str
) -> None:
    async with a_door(broker.port, mechanism, tmp_path) as door:
        settings = settings_of(door)
        await prepare(settings)
        writer = KafkaWriter(settings, OWNER)
        await writer.publish([replace(order_new(an_order()), event_id=7)])
        await writer.close()
        async with open_reader(settings) as reader:
            reader.seek({})
            while not (found := [r for rows in (await reader.take()).values() for r in rows]):
                pass
            assert [reader.decode(record).event_id for record in found] == [7]
        assert (door.let_in >= 3, door.turned_away) == (True, 0)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_is_one_sentence_that_does_not_tell_it(
    broker: Broker, tmp_path: Path, mechanism: str
) -> None:
    async with a_door(broker.port, mechanism, tmp_path) as door:
        wrong = settings_of(door, kafka_password=SecretStr("a wrong one"))
        with pytest.raises(LogUnavailable, match=r"^Kafka 127\.0\.0\.1:\d+: ") as refused:
            await prepare(wrong)
        assert door.let_in == 0
    assert "a wrong one" not in str(refused.value)
    assert "wrong password" in str(refused.value)


async def test_another_mechanism_and_none_at_all_are_refused(
    broker: Broker, tmp_path: Path
) -> None:
    async with a_door(broker.port, "SCRAM-SHA-512", tmp_path) as door:
        for changes in ({"kafka_sasl": "PLAIN"}, {"kafka_sasl": None}):
            with pytest.raises(LogUnavailable, match=r"^Kafka 127\.0\.0\.1"):
                await prepare(settings_of(door, **changes))
        assert door.let_in == 0
