"""This is what all tests share: how Hypothesis searches, and a PostgreSQL for each test that asks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from adapters.postgres import PostgresStores, embedded
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrations import migrate
from adapters.postgres.tables import metadata
from tests.builders import ACCOUNT
from tests.consoles import PROJECT
from tests.database_servers import FOR_SPEED, DatabaseServer, a_database_server
from tests.run_records import RunRecord
from tests.secret_scans import finds_below
from tests.turns import Turns

# A deadline in milliseconds measures the machine, not the code; the blob repeats a failure anywhere.
settings.register_profile("maemae", deadline=None, print_blob=True)
settings.load_profile("maemae")

CUT_OFF = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = ";".join(
    (
        "SET session_replication_role = replica",  # whatever points at whatever
        # The versions of series after the bars, whose triggers write them whoever deletes.
        *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),  # noqa: S608 - our names
    )
)


def pytest_configure(config: pytest.Config) -> None:
    """Let a whole run of the tests be evidence for a promotion; a worker sees only its part."""
    is_first = not hasattr(config, "workerinput")
    config.pluginmanager.register(Turns(is_first=is_first))
    if is_first:
        config.pluginmanager.register(RunRecord(config, PROJECT))


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the database's user can pass through even if we are root (pytest's own is private)."""
    folder = Path(tempfile.mkdtemp(prefix="maemae-test-"))
    folder.chmod(0o711)
    yield folder
    found = finds_below(folder)
    shutil.rmtree(folder, ignore_errors=True)
    assert found == [], "stacks, servers and databases of all tests show a secret"


@pytest.fixture(autouse=True)
def no_secret_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Search what a test leaves in its folder: logs, inboxes, reports, charts, spools, notes."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None:
        assert finds_below(folder) == []


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
def postgres_database(postgres_server: EmbeddedServer) -> str:
    """The address of the one database that tests use in turn; emptying it is quicker than making it."""
    _execute(postgres_server.url_of("postgres"), "CREATE DATABASE maemae_test")
    migrate(postgres_server.url_of("maemae_test"))
    return postgres_server.url_of("maemae_test")


@pytest.fixture
def postgres_url(postgres_database: str) -> Iterator[str]:
    """The address of a migrated, empty database for this test alone; whoever stays connected is cut off."""
    yield postgres_database
    _execute(postgres_database, CUT_OFF)
    _execute(postgres_database, EMPTY)


@pytest.fixture
def stores(postgres_url: str) -> Iterator[PostgresStores]:
    """The dev channel's stores on an empty database."""
    opened = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def spare_server(open_folder: Path) -> Iterator[DatabaseServer]:
    """A server that a test may stop, crowd and fill up: it takes 30 connections in all."""
    limits = {"max_connections": "30", "superuser_reserved_connections": "0"}
    with a_database_server(open_folder / "spare", **FOR_SPEED, **limits) as server:
        yield server
        server.start()


@pytest.fixture(scope="session")
def prefect_api(postgres_server: EmbeddedServer, open_folder: Path) -> Iterator[str]:
    """The API of one real Prefect server for all tests; whoever changes something puts it back."""
    from tests.prefect_servers import running_prefect  # noqa: PLC0415 - Prefect takes seconds to import

    with running_prefect(open_folder / "prefect", postgres_server.url_of("prefect")) as url:
        yield url


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
