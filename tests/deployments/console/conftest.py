"""This is what console tests share: a home of their own, one filled day in a real database, a real simulator."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres import PostgresStores
from deployments.cli import main
from flows.desk import open_desk
from tests.builders import A_DAY, ACCOUNT, HYUNDAI, SAMSUNG, a_signal, an_intent, looks_good
from tests.consoles import PROJECT, Answer, Console, Doubt, come_to, fill_day
from trading.orders import Order
from trading.submissions import Submission

KEYS = {
    "MAEMAE_KIS__ENVIRONMENT": "real",
    "MAEMAE_KIS__BASE_URL": "http://127.0.0.1:1",
    "MAEMAE_KIS__WS_URL": "ws://127.0.0.1:1",
    "MAEMAE_KIS__APPKEY": "the-appkey-of-a-test",
    "MAEMAE_KIS__APPSECRET": "the-appsecret-of-a-test",
    "MAEMAE_KIS__ACCOUNT": ACCOUNT,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, a channel in the computer's time, English, keys that lead nowhere."""
    for name in [name for name in os.environ if name.startswith(("MAEMAE_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    channels = tmp_path / "channels"
    channels.mkdir()
    document = (PROJECT / "deployments/channels/dev.yaml").read_text("utf-8")
    text = document.replace("clock: simulator", "clock: system")
    (channels / "dev.yaml").write_text(text, "utf-8")
    variables = {"MAEMAE_HOME": str(tmp_path / "home"), "MAEMAE_CHANNELS": str(channels)}
    settings = {"MAEMAE_LANGUAGE": "en", "MAEMAE_PREFECT_PORT": "1"}
    for name, value in {**KEYS, **variables, **settings}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.fixture
def console(home: Path, capfd: pytest.CaptureFixture[str]) -> Console:
    """The console in this process."""
    assert not home.exists()

    def run(*words: str) -> Answer:
        capfd.readouterr()
        code = main(words)
        return Answer(code, *capfd.readouterr())

    return run


@pytest.fixture
def database(home: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database, which the settings name."""
    assert not home.exists()
    monkeypatch.setenv("MAEMAE_DATABASE_URL", postgres_url)
    return postgres_url


@pytest.fixture
def filled(stores: PostgresStores, database: str) -> None:
    """One day: 23 LG Chem bought in two fills, Samsung refused by two rules, one order open."""
    assert database
    fill_day(stores)


@pytest.fixture(scope="module")
def simulator() -> Iterator[dict[str, Any]]:
    """A real KIS simulator, its clock standing at 2018-01-16."""
    options = ["--port", "0", "--ws-port", "0", "--account", ACCOUNT]
    options += ["--clock", "step", "--day", A_DAY.isoformat()]
    options += ["--rate-limit", "off", "--token-interval", "off"]
    words = (sys.executable, "-m", "adapters.kis_sim", *options)
    with subprocess.Popen(  # noqa: S603 - our own words
        words, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def at_simulator(
    simulator: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The console on the simulator, in its time."""
    variables = {
        "MAEMAE_SIMULATOR_URL": simulator["http"],
        "MAEMAE_KIS__BASE_URL": simulator["http"],
        "MAEMAE_KIS__WS_URL": simulator["ws"],
        "MAEMAE_KIS__APPKEY": simulator["appkey"],
        "MAEMAE_KIS__APPSECRET": simulator["appsecret"],
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    channel = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
    channel.write_text(
        channel.read_text("utf-8").replace("clock: system", "clock: simulator"), "utf-8"
    )
    assert not home.exists()
    return simulator


@pytest.fixture
def resting(at_simulator: dict[str, Any], database: str) -> Order:
    """One buy of 5 Samsung that nobody sells to, in both books, at 09:30."""
    assert database
    return asyncio.run(_rest(at_simulator))


async def _rest(simulator: dict[str, Any]) -> Order:
    await come_to(simulator, "09:30")
    async with open_desk() as desk:
        quote = await desk.market_data.quote(SAMSUNG)
        signal = a_signal(symbol=SAMSUNG, reference_price=quote.last)
        intent = an_intent(
            symbol=SAMSUNG,
            quantity=5,
            limit_price=quote.lower_limit,
            signal_id=signal.signal_id,
            created_at=desk.now(),
        )
        receipt = await desk.broker.place(intent, last_look=looks_good)
        order = Order.initialize(intent).submit(at=desk.now())
        order = order.accept(receipt.broker_order_id, branch=receipt.branch, at=desk.now())
        with desk.stores.begin() as work:
            work.instruments.upsert(await desk.market_data.instruments([SAMSUNG]))
            work.signals.add(signal)
            work.orders.add(Order.initialize(intent))
            work.orders.save(order)
    return order


@pytest.fixture
def doubtful(at_simulator: dict[str, Any], database: str, request: pytest.FixtureRequest) -> Doubt:
    """A buy that the broker has and whose reply was lost, with its number; each test's quantity is its own."""
    assert database
    quantity = 1 + sum(map(ord, request.node.name)) % 50
    return asyncio.run(_lose(at_simulator, quantity))


async def _lose(simulator: dict[str, Any], quantity: int) -> Doubt:
    await come_to(simulator, "09:40")
    async with open_desk() as desk:
        quote = await desk.market_data.quote(HYUNDAI)
        at = desk.now()
        intent = an_intent(
            symbol=HYUNDAI, quantity=quantity, limit_price=quote.lower_limit, created_at=at
        )
        receipt = await desk.broker.place(intent, last_look=looks_good)
        order = Order.initialize(intent).submit(at=at)
        evidence = Submission(
            client_order_id=order.client_order_id,
            fence=1,
            body=desk.broker.wire_fields(intent),
            sent_at=at,
            known_numbers=(),
            highest_number="",
            held=0,
            sellable=0,
            buyable_cash=0,
        )
        with desk.stores.begin() as work:
            work.orders.add(Order.initialize(intent))
            work.submissions.add(evidence)
            work.orders.save(order)
    return order, receipt.broker_order_id
