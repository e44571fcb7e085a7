"""This is a PostgreSQL server of a test's own, which may be stopped, started and filled up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from adapters.postgres import embedded
from adapters.postgres.migrations import migrate
from adapters.postgres.places import find_place

FOR_SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class DatabaseServer:
    """A server; its tables are made once, and every database of a test is a copy."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=lambda: FOR_SPEED)
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self) -> embedded.EmbeddedServer:
        """Start it if it does not run; its address stays the same."""
        return embedded.start(self.home, settings=self.settings)

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        assert embedded.stop(self.home)

    def database(self) -> str:
        """Make an empty database with our tables; give its address."""
        server, name = self.start(), f"test_{next(self._numbers)}"
        with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE maemae".encode())
        return server.url_of(name)

    def move(self, url: str, table: str, folder: Path | None) -> None:
        """Let a table's rows lie in `folder`, which is made, on whatever disk it is; None takes them back."""
        place = find_place(self.home)
        assert place is not None
        with psycopg.connect(url, autocommit=True) as connection:
            if folder is None:
                connection.execute(f"ALTER TABLE {table} SET TABLESPACE pg_default".encode())
                connection.execute(b"DROP TABLESPACE elsewhere")
                return
            folder.mkdir()
            os.chown(folder, place.owner.uid, place.owner.gid)
            connection.execute(f"CREATE TABLESPACE elsewhere LOCATION '{folder}'".encode())
            connection.execute(f"ALTER TABLE {table} SET TABLESPACE elsewhere".encode())


@contextmanager
def a_database_server(home: Path, **settings: str) -> Iterator[DatabaseServer]:
    """Run one, gone even if the tests are killed."""
    server = DatabaseServer(home, settings or FOR_SPEED)
    migrate(server.start().url)
    watcher = embedded.stop_when_we_die(home)
    try:
        yield server
    finally:
        embedded.stop(home)
        watcher.terminate()
        watcher.wait()
        if watcher.stdin:
            watcher.stdin.close()
