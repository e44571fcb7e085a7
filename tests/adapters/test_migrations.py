"""This is the proof that the schema can be made, and made again without effect."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files

import psycopg
import pytest

from adapters.postgres import PostgresStores
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrations import migrate
from trading.audits import AuditEntry, first_flaw
from trading.errors import InvalidSetting, StoreUnavailable
from trading.halts import TradingState


def test_a_second_migration_changes_nothing(postgres_url: str) -> None:
    before = _schema(postgres_url)
    migrate(postgres_url)
    assert _schema(postgres_url) == before
    assert len(before) > 100


FIRST_VERSION = """
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('0001');
    INSERT INTO halts (channel, account, source, strategy_id, state, reason, at)
    VALUES ('dev', '50012345-01', 'operator', '', 'HALTED', 'lunch', '2018-01-16 03:00+00')
"""


def test_what_the_first_version_halted_stays_halted(postgres_server: EmbeddedServer) -> None:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE first_version")
    url = postgres_server.url_of("first_version")
    schema = files("sql.migrations").joinpath("0001_schema.sql").read_text("utf-8")
    with psycopg.connect(url) as connection:
        connection.execute((schema + FIRST_VERSION).encode())
    migrate(url)
    opened = closing(PostgresStores(url, channel="dev", account="50012345-01"))
    with opened as stores, stores.begin() as work:
        (halt,) = work.halts.in_force()
        assert (halt.state, halt.symbol) == (TradingState.HALTED, "")
        assert not work.halts.put(halt)


SECOND_VERSION = """
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('0002');
    INSERT INTO audit (channel, account, actor, action, detail, at) VALUES
        ('dev', '50012345-01', 'operator', 'halt', '{"reason": "점심", "a": 1.50}', '2018-01-16 03:00+00'),
        ('dev', '50012345-02', 'operator', 'halt', '{}', '2018-01-16 03:01+00'),
        ('dev', '50012345-01', 'operator', 'resume', '{"reason": ""}', '2018-01-16 03:02:00.123456+00');
    INSERT INTO configs (channel, account, version, digest, document, at)
        VALUES ('dev', '50012345-01', 1, 'a', '{}', '2018-01-16 03:00+00')
"""


def test_acts_of_the_second_version_are_chained_and_cannot_be_changed_any_more(
    postgres_server: EmbeddedServer,
) -> None:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE second_version")
    url = postgres_server.url_of("second_version")
    steps = files("sql.migrations")
    with psycopg.connect(url) as connection:
        for script in ("0001_schema.sql", "0002_leases.sql"):
            connection.execute(steps.joinpath(script).read_text("utf-8").encode())
        connection.execute(SECOND_VERSION.encode())
    migrate(url)
    opened = closing(PostgresStores(url, channel="dev", account="50012345-01"))
    with opened as stores, stores.begin() as work:
        work.audit.add(AuditEntry("operator", "halt"), at=datetime(2018, 1, 17, tzinfo=UTC))
        rows = work.audit.chain()
        current = work.configs.in_force()
    assert [(row.number, row.action) for row in rows] == [(1, "halt"), (2, "resume"), (3, "halt")]
    assert first_flaw(rows) is None
    assert current is not None
    assert current.approved_at == current.at
    with psycopg.connect(url, autocommit=True) as connection:
        for change in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="only ever added to"):
                connection.execute(change.encode())


def test_older_code_leaves_a_newer_schema_as_it_is(postgres_server: EmbeddedServer) -> None:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE newer_version")
    url = postgres_server.url_of("newer_version")
    migrate(url)
    before = _schema(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    migrate(url)
    assert _schema(url) == before
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_an_unreachable_database_is_named_in_one_sentence() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        migrate("postgresql://maemae:secret@127.0.0.1:1/nowhere")
    sentence = str(caught.value)
    assert "127.0.0.1:1/nowhere" in sentence
    assert "\n" not in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize("url", ["", "sqlite:///x", "postgresql://host", "not an address:secret"])
def test_what_is_no_postgres_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="postgresql://"):
        migrate(url)


def _schema(url: str) -> list[tuple[object, ...]]:
    question = """
        SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY 1, 2
    """
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()
