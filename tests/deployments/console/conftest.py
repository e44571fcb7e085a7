"""This is what console tests share: a home of their own, one filled day in a real database, a real simulator."""

from __future__ import annotations

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
from tests.builders import A_DAY, ACCOUNT
from tests.consoles import PROJECT, Answer, Console, fill_day

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
