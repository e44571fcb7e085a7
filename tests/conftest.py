"""This is what all tests share: how Hypothesis searches, and a PostgreSQL for each test that asks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from adapters.postgres import PostgresStores, embedded
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrations import migrate
from tests.builders import ACCOUNT

# A deadline in milliseconds measures the machine, not the code; the blob repeats a failure anywhere.
settings.register_profile("maemae", deadline=None, print_blob=True)
settings.load_profile("maemae")

FOR_SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_numbers = count(1)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the database's user can pass through even if we are root (pytest's own is private)."""
    folder = Path(tempfile.mkdtemp(prefix="maemae-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """One real server for all tests, gone even if the tests are killed."""
    home = open_folder / "home"
    server = embedded.start(home, settings=FOR_SPEED)
    watcher = embedded.stop_when_we_die(home)
    try:
        yield server
    finally:
        embedded.stop(home)
        watcher.terminate()
        watcher.wait()
        if watcher.stdin:
            watcher.stdin.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: EmbeddedServer) -> str:
    """The name of a migrated, empty database to copy."""
    _execute(postgres_server, "CREATE DATABASE maemae_template")
    migrate(postgres_server.url_of("maemae_template"))
    return "maemae_template"


@pytest.fixture
def postgres_url(postgres_server: EmbeddedServer, postgres_template: str) -> Iterator[str]:
    """The address of a migrated, empty database for this test alone."""
    name = f"test_{next(_numbers)}"
    _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield postgres_server.url_of(name)
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def stores(postgres_url: str) -> Iterator[PostgresStores]:
    """The dev channel's stores on an empty database."""
    opened = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    yield opened
    opened.close()


def _execute(server: EmbeddedServer, statement: str) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
