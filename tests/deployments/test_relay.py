"""This is the relay as a process of its own: killed, without its broker, refused; nothing is lost or counted twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from adapters.event_stores import WrittenEvent
from adapters.kafka.envelopes import complete, encode
from adapters.postgres import PostgresStores
from flows.relays import LOCK
from flows.settings import load_settings
from flows.sources import open_stores, owner_of
from flows.turns import LOOK_SECONDS
from tasks.projecting import differences
from tests.adapters.test_postgres_stores import end_holders
from tests.builders import ACCOUNT, an_order
from tests.consoles import PROJECT
from tests.event_days import STEPS, trade_some
from tests.kafka_brokers import a_broker

PATIENCE_SECONDS = 60
ROUNDS = 3


@pytest.fixture
def variables(tmp_path: Path, postgres_url: str) -> dict[str, str]:
    """What the process sees: an account with keys that lead nowhere, a database, no Kafka yet."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MAEMAE_", "PREFECT_"))}
    keys = {"ENVIRONMENT": "real", "APPKEY": "key", "APPSECRET": "secret", "ACCOUNT": ACCOUNT}
    keys |= {"BASE_URL": "http://127.0.0.1:1", "WS_URL": "ws://127.0.0.1:1"}
    return {
        **clean,
        **{f"MAEMAE_KIS__{name}": value for name, value in keys.items()},
        "MAEMAE_HOME": str(tmp_path / "home"),
        "MAEMAE_DATABASE_URL": postgres_url,
        "MAEMAE_CHANNEL": "dev",
    }


@contextmanager
def a_relay(variables: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the process; end it in order."""
    words = [sys.executable, "-m", "deployments.relay"]
    with subprocess.Popen(  # noqa: S603 - our own words
        words, env=variables, cwd=PROJECT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.parametrize("address", [None, "127.0.0.1:9092"])
def test_an_event_is_written_as_its_message_where_events_leave(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(kafka_bootstrap=address)
    with closing(open_stores(settings)) as stores:
        with stores.begin() as work:
            work.orders.add(an_order())
        with stores.begin() as work:
            (told,), (event,) = work.outbox.after(0), work.outbox.pending()
    if address is None:
        assert event == told
    else:
        assert isinstance(event, WrittenEvent)
        assert complete(event) == encode(told, owner_of(settings))


def is_all_taken_in(stores: PostgresStores) -> bool:
    """Tell whether everything is sent, and built to the same as the book."""
    with stores.begin() as work:
        return not work.outbox.backlog().count and not differences(work)


def wait_for(stores: PostgresStores) -> None:
    """Wait until it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_all_taken_in(stores):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_kills_of_relay_and_broker_neither_lose_nor_double(
    tmp_path: Path, variables: dict[str, str], stores: PostgresStores
) -> None:
    with a_broker(tmp_path) as broker:
        variables["MAEMAE_KAFKA_BOOTSTRAP"] = str(broker.settings.kafka_bootstrap)
        for number in range(ROUNDS):
            with a_relay(variables) as relay:
                trade_some(stores, 5, start=10 * number)
                if number % 2:
                    broker.stop(relay.pid)
                trade_some(stores, 5, start=10 * number + 5)
                os.kill(relay.pid, signal.SIGKILL)
            if number % 2:
                broker.start()
        with a_relay(variables) as relay:
            wait_for(stores)
            relay.terminate()
            assert relay.wait(10) == -signal.SIGTERM
    with stores.begin() as work:
        assert len(work.projection.orders()) == 10 * ROUNDS
        assert len(work.outbox.after(0)) == 10 * ROUNDS * STEPS


def test_one_relay_alone_is_at_work_after_the_database_has_lost_its_lock(
    tmp_path: Path, variables: dict[str, str], stores: PostgresStores, postgres_url: str
) -> None:
    with a_broker(tmp_path) as broker:
        variables["MAEMAE_KAFKA_BOOTSTRAP"] = str(broker.settings.kafka_bootstrap)
        with a_relay(variables) as relay:
            trade_some(stores, 2)
            wait_for(stores)
            with stores.lock(LOCK) as ours:
                assert not ours
                end_holders(postgres_url)
                assert ours.keep(), "quicker than its next look"
                time.sleep(3 * LOOK_SECONDS)
                trade_some(stores, 2, start=2)
                time.sleep(1)
                with stores.begin() as work:
                    assert work.outbox.backlog().count == 2 * STEPS
            wait_for(stores)
            assert relay.poll() is None


def test_topics_that_may_not_be_made_end_it_with_one_sentence(
    tmp_path: Path, variables: dict[str, str], stores: PostgresStores
) -> None:
    trade_some(stores, 1)
    with a_broker(tmp_path) as broker:
        variables["MAEMAE_KAFKA_BOOTSTRAP"] = str(broker.settings.kafka_bootstrap)
        variables["MAEMAE_KAFKA_CREATE_TOPICS"] = "false"
        with a_relay(variables) as relay:
            assert relay.wait(PATIENCE_SECONDS) == 2
            assert relay.stderr is not None
            last = relay.stderr.read().strip().splitlines()[-1]
    assert "MAEMAE_KAFKA_CREATE_TOPICS" in last
    assert "market.bar" in last
