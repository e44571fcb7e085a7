"""This is the lock between processes: held by a connection of its own, freed by its death."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy.engine import URL

from adapters.postgres.engine import CONNECT, unavailable
from adapters.postgres.scope import lock_key


@contextmanager
def hold_lock(url: URL, *name: str) -> Iterator[bool]:
    """Try to be the only holder of `name` in this database; gives False at once when another holds it.

    Raises:
        StoreUnavailable: when the database cannot be reached.
    """
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    key = lock_key("lock", *name)
    try:
        connection = psycopg.connect(address, autocommit=True, **CONNECT)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    except psycopg.OperationalError as error:
        raise unavailable(url, error) from error
    try:
        yield bool(row and row[0])
    finally:
        # A lost connection has lost the lock already.
        with suppress(psycopg.OperationalError):
            connection.execute("SELECT pg_advisory_unlock_all()")
        connection.close()
