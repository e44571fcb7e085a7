"""This is what every flow test starts from: a Prefect server, an empty database, a market at 08:50."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import certifi
import pytest
from prefect.settings import (
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from adapters.kis.auth import TokenVault
from adapters.kis.files import shared_name
from adapters.postgres.embedded import EmbeddedServer
from tests.flow_worlds import Market, World, a_market, entered
from tests.secret_scans import finds_in_database, finds_in_files

ACCOUNTS = tuple(f"500124{number:02}-01" for number in range(60))


LEAK = "ignore:unclosed <socket:ResourceWarning"
"""Prefect asks its server for the default storage with a client that it never closes (results.py)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Prefect's leak fail no test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(LEAK))


@pytest.fixture(scope="module", autouse=True)
def swept() -> Iterator[None]:
    """Clear Prefect's leak away before tests elsewhere could be blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one root certificate: reading all of them takes each of Prefect's many clients 30 ms."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(end)
    file = tmp_path_factory.mktemp("tls") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def engine(
    prefect_api: str, one_certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Prefect's engine in this process and in those that a test starts, on the server of all tests."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    for name in ("SSL_CERT_FILE", "PREFECT_API_SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(one_certificate))
    settings = {
        PREFECT_API_URL: prefect_api,
        PREFECT_API_SSL_CERT_FILE: str(one_certificate),
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(settings):
        yield


@pytest.fixture(scope="session")
def standing_market() -> Iterator[Market]:
    """A simulator whose clock stays at 08:50 of 2018-01-16, with an account for each test."""
    with a_market("real", accounts=ACCOUNTS) as market:
        yield market


@pytest.fixture(scope="session")
def unused_accounts() -> Iterator[str]:
    """Accounts that no test has had."""
    return iter(ACCOUNTS)


@pytest.fixture
async def world(
    standing_market: Market, unused_accounts: Iterator[str], tmp_path: Path, postgres_url: str
) -> AsyncIterator[World]:
    """The opening auction of 2018-01-16 in Seoul, 100,000,000 won, nothing held, nothing known."""
    await standing_market.to("08:50")
    with entered(standing_market, next(unused_accounts), tmp_path / "home", postgres_url) as world:
        yield world
        assert shown_secrets(world, postgres_url) == []
    await standing_market.faults()


@pytest.fixture(scope="session", autouse=True)
def no_secret_at_prefects(
    prefect_api: str, postgres_server: EmbeddedServer, standing_market: Market
) -> Iterator[None]:
    """Search all runs, states and artifacts of this folder's tests when they have ended."""
    yield
    assert prefect_api
    keys = {"appkey": standing_market.appkey, "appsecret": standing_market.appsecret}
    assert finds_in_database(postgres_server.url_of("prefect"), keys) == []


def shown_secrets(world: World, database_url: str) -> list[str]:
    """Search logs, inbox, reports and tables of one test for the keys and the token that it worked with."""
    appkey = world.market.appkey
    vault = TokenVault(world.home / "tokens", shared_name(world.market.url, appkey))
    known = {
        "appkey": appkey,
        "appsecret": world.market.appsecret,
        "token": vault.load().token.get_secret_value(),
    }
    secrets = {name: secret for name, secret in known.items() if secret}
    assert {"appkey", "appsecret"} <= secrets.keys(), "or nothing was looked for"
    return [*finds_in_files(world.home, secrets), *finds_in_database(database_url, secrets)]
