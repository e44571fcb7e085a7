"""This is the proof that the schema can be made, and made again without effect."""

from __future__ import annotations

from contextlib import closing
from importlib.resources import files

import psycopg
import pytest

from adapters.postgres import PostgresStores
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrations import migrate
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
