"""This is the search for secrets in everything that a run leaves behind: files and whole databases."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

KEPT: Final = ("runtime.env", "keys/identity", "tokens/key", "postgres/server.json")
"""Files whose purpose is to hold what opens something; they are the owner's alone (0600)."""
_TABLES: Final = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""


def finds_in_files(
    home: Path, secrets: Mapping[str, str], *, beside: Iterable[str] = ()
) -> list[str]:
    """Give each file below `home` that shows a secret, with its name; `beside` are places of no interest."""
    files = (path for path in sorted(home.rglob("*")) if path.is_file())
    wanted = ((path, str(path.relative_to(home))) for path in files)
    return [
        f"{place}: {name}"
        for path, place in wanted
        if place not in KEPT and not place.startswith(tuple(beside))
        for name in _names_in(_content(path), secrets)
    ]


def finds_in_database(url: str, secrets: Mapping[str, str]) -> list[str]:
    """Give each table that shows a secret in any column of any row."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(_TABLES).fetchall()
        return [
            f"{schema}.{table}: {name}"
            for schema, table in tables
            for name in _names_in(_dump(connection, schema, table), secrets)
        ]


def _dump(connection: psycopg.Connection, schema: str, table: str) -> bytes:
    """Write a whole table as text; what is binary as what it is."""
    words = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT BINARY)").format(
        sql.Identifier(schema, table)
    )
    with connection.cursor() as cursor, cursor.copy(words) as copy:
        return b"".join(bytes(block) for block in copy)


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _names_in(content: bytes, secrets: Mapping[str, str]) -> Iterator[str]:
    """Name the secrets that stand there; never their values, for this is printed when a test fails."""
    return (name for name, secret in secrets.items() if secret.encode() in content)
