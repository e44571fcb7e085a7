"""This is the databases of one server: made when missing, made anew for a simulated account."""

from __future__ import annotations

from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from adapters.postgres.engine import clear_errors, parse_url

_EVERYWHERE: Final = "postgres"
"""The database that every server has."""


def make_database(url: str, name: str, *, is_fresh: bool = False) -> str:
    """Make database `name` on the server of `url` if it is missing; give its address.

    `is_fresh` drops one that is there, with all that is in it, and cuts its connections.

    Raises:
        InvalidSetting: when `url` is no PostgreSQL address.
        StoreUnavailable: when the server cannot be reached.
    """
    address = parse_url(url)
    engine = create_engine(address.set(database=_EVERYWHERE), isolation_level="AUTOCOMMIT")
    quoted = engine.dialect.identifier_preparer.quote(name)
    try:
        with clear_errors(engine), engine.connect() as connection:
            if is_fresh:
                connection.execute(text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))
            known = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.scalar(known, {"name": name}) is None:
                connection.execute(text(f"CREATE DATABASE {quoted}"))
    finally:
        engine.dispose()
    return _written(address.set(database=name, drivername="postgresql"))


def prefect_address(url: str) -> str:
    """Write a database address as Prefect's driver reads it."""
    address = parse_url(url).set(drivername="postgresql+asyncpg")
    query = {"ssl" if name == "sslmode" else name: value for name, value in address.query.items()}
    return _written(address.set(query=query))


def _written(address: URL) -> str:
    return address.render_as_string(hide_password=False)
