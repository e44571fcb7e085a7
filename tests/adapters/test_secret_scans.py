"""This is the search for secrets, shown to find what is hidden for it in each kind of place."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from adapters.postgres import PostgresStores
from adapters.stores import AuditEntry
from tests.builders import A_DAY, seoul
from tests.secret_scans import KEPT, finds_in_database, finds_in_files

SECRETS = {"appkey": "planted-appkey-0123456789", "password": "planted-password"}


@pytest.mark.parametrize("place", ["inbox.md", "logs/flows.jsonl", "reports/deep/2018-01-16.html"])
def test_a_secret_in_any_file_is_found_and_named(tmp_path: Path, place: str) -> None:
    assert finds_in_files(tmp_path, SECRETS) == []
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"x{SECRETS['appkey']}y", "utf-8")
    assert finds_in_files(tmp_path, SECRETS) == [f"{place}: appkey"]


def test_only_the_files_that_are_for_it_may_hold_one(tmp_path: Path) -> None:
    for place in (*KEPT, "copy/runtime.env"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(SECRETS["password"], "utf-8")
    assert finds_in_files(tmp_path, SECRETS) == ["copy/runtime.env: password"]


def test_a_secret_in_text_json_and_bytes_of_a_table_is_found(
    stores: PostgresStores, postgres_url: str
) -> None:
    assert finds_in_database(postgres_url, SECRETS) == []
    with stores.begin() as work:
        entry = AuditEntry("operator", "act", {"deep": {"down": SECRETS["password"]}})
        work.audit.add(entry, at=seoul(A_DAY, "09:00"))
    (found,) = finds_in_database(postgres_url, SECRETS)
    assert found.endswith(": password")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE planted (bytes bytea)")
        connection.execute("INSERT INTO planted VALUES (%s)", (SECRETS["appkey"].encode(),))
        try:
            assert "public.planted: appkey" in finds_in_database(postgres_url, SECRETS)
        finally:
            connection.execute("DROP TABLE planted")
