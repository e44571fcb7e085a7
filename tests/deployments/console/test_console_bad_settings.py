"""This is a start with wrong settings for Kafka: one sentence in the owner's language, and nothing runs."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from adapters.event_logs import Record
from adapters.events import order_new
from adapters.kafka.clusters import prepare
from adapters.kafka.envelopes import HEADER, MARK, encode
from adapters.kafka.writers import KafkaWriter
from adapters.postgres import embedded
from flows.settings import CHANNELS
from tests.builders import ACCOUNT, an_order
from tests.consoles import PROJECT, Console
from tests.kafka_brokers import Broker, a_broker
from tests.tls import a_certificate

OWNER = {"channel": "dev", "account": ACCOUNT}
NOBODY = "127.0.0.1:1,127.0.0.1:2"
LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with an event of a newer version in it."""
    with a_broker(tmp_path_factory.mktemp("broker")) as started:
        asyncio.run(write_newer(started))
        yield started


async def write_newer(broker: Broker) -> None:
    """Write an event with a schema that nobody here knows."""
    await prepare(broker.settings)
    value = encode(replace(order_new(an_order()), event_id=1), OWNER)
    newer = MARK + b"\1" * 8 + value[HEADER:]
    writer = KafkaWriter(broker.settings, OWNER)
    await writer.put_back([Record("order.new", 0, 0, b"051910", newer)])
    await writer.close()


@contextmanager
def a_tls_server(folder: Path) -> Iterator[int]:
    """Listen with a certificate that nobody vouches for; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*a_certificate(folder))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_shake_hands, args=(listener, context), daemon=True).start()
        yield int(listener.getsockname()[1])


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass


type Refused = Callable[[str, Mapping[str, str]], str]


@pytest.fixture
def refused(console: Console, home: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Start the stack in a language with such variables; give the one sentence with which it refuses."""

    def start(language: str, variables: Mapping[str, str]) -> str:
        for name, value in {"LANGUAGE": language, **variables}.items():
            monkeypatch.setenv(f"MAEMAE_{name}", value)
        answer = console("up")
        assert (answer.code, answer.err.count("\n")) == (2, 1), answer
        assert embedded.running(home) is None, "nothing may run"
        return answer.err

    return start


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "Kafka를 쓸 수 없습니다: Kafka "), ("en", "Kafka cannot be used: Kafka ")],
)
def test_a_broker_list_that_nobody_answers(refused: Refused, language: str, words: str) -> None:
    said = refused(language, {"KAFKA_BOOTSTRAP": NOBODY})
    assert words in said
    assert "127.0.0.1:2" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_certificate_that_nobody_vouches_for(
    refused: Refused, tmp_path: Path, language: str
) -> None:
    with a_tls_server(tmp_path) as port:
        variables = {"KAFKA_BOOTSTRAP": f"127.0.0.1:{port}", "KAFKA_TLS": "true"}
        said = refused(language, variables)
    assert "certificate verify failed" in said


@pytest.mark.parametrize(
    ("language", "words"), [("ko", "토픽을 먼저 만드세요: market.bar"), ("en", "these topics on")]
)
def test_topics_that_may_not_be_made(
    refused: Refused,
    tmp_path: Path,
    language: str,
    words: str,
) -> None:
    with a_broker(tmp_path) as empty:
        variables = {
            "KAFKA_BOOTSTRAP": str(empty.settings.kafka_bootstrap),
            "KAFKA_CREATE_TOPICS": "false",
        }
        said = refused(language, variables)
    assert words in said
    assert "risk.event.dlq" in said


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "더 새로운 maemae가 썼습니다"), ("en", "is unknown here; a newer version")],
)
def test_events_of_a_schema_that_nobody_knows(
    refused: Refused,
    broker: Broker,
    language: str,
    words: str,
) -> None:
    variables = {"KAFKA_BOOTSTRAP": str(broker.settings.kafka_bootstrap)}
    said = refused(language, variables)
    assert words in said
    assert "0101010101010101" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_registry_that_nobody_answers(refused: Refused, broker: Broker, language: str) -> None:
    variables = {
        "KAFKA_BOOTSTRAP": str(broker.settings.kafka_bootstrap),
        "KAFKA_REGISTRY": "http://127.0.0.1:1",
    }
    assert "schema registry 127.0.0.1" in refused(language, variables)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "watch_list 값 161은(는) 쓸 수 없습니다"), ("en", "at most 160 symbols: 40 that the")],
)
def test_a_watch_list_above_what_can_be_heard_and_asked_for(
    refused: Refused, tmp_path: Path, language: str, words: str
) -> None:
    document = yaml.safe_load((CHANNELS / "dev.yaml").read_text("utf-8"))
    document["watch_list"] += [
        f"{number:06}" for number in range(161 - len(document["watch_list"]))
    ]
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert words in refused(language, {"CHANNELS": str(tmp_path)})


@pytest.mark.usefixtures("home")
def test_the_relay_s_own_process_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAEMAE_KAFKA_BOOTSTRAP", "9092")
    monkeypatch.setenv("MAEMAE_LANGUAGE", "ko")
    done = subprocess.run(
        (sys.executable, "-m", "deployments.relay"),
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        timeout=60,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "MAEMAE_KAFKA_BOOTSTRAP 값 '9092'은(는) 쓸 수 없습니다" in done.stderr
