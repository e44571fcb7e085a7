"""This is the proof that the schema can be made, and made again without effect."""

from __future__ import annotations

import psycopg
import pytest

from adapters.postgres.migrations import migrate
from trading.errors import InvalidSetting, StoreUnavailable


def test_a_second_migration_changes_nothing(postgres_url: str) -> None:
    before = _schema(postgres_url)
    migrate(postgres_url)
    assert _schema(postgres_url) == before
    assert len(before) > 100


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
