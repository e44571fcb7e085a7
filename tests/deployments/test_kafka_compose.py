"""This is the compose file of Kafka, read as it stands; nothing here can run it."""

from __future__ import annotations

from pathlib import Path

import yaml

from adapters.kafka.settings import KafkaSettings

FILE = Path(__file__).resolve().parents[2] / "deployments/kafka/compose.yaml"


def test_kafka_keeps_its_log_on_a_volume_for_good_and_only_this_machine_can_knock() -> None:
    document = yaml.safe_load(FILE.read_text("utf-8"))
    kafka = document["services"]["kafka"]
    environment = kafka["environment"]
    volume, _, folder = kafka["volumes"][0].partition(":")
    assert volume in document["volumes"]
    assert environment["KAFKA_LOG_DIRS"] == folder
    assert environment["KAFKA_LOG_RETENTION_HOURS"] == "-1"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    (port,) = kafka["ports"]
    address = port.rpartition(":")[0]
    assert address.startswith("127.0.0.1:")
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{address}"
    assert KafkaSettings(kafka_bootstrap=address).has_kafka
