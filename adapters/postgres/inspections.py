"""This is what a database tells about itself: version, schema, what it offers, its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from adapters.postgres.engine import clear_errors, open_engine
from adapters.postgres.migrations import SCRIPTS


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """One database as it stands. `schema` is None before the first migration; `now` is aware."""

    server_version: str
    schema: str | None
    newest_schema: str | None
    offers_trigrams: bool
    now: datetime


def inspect(url: str) -> DatabaseState:
    """Ask the database about itself.

    Raises:
        InvalidSetting: when `url` is no PostgreSQL address.
        StoreUnavailable: when the database cannot be reached.
    """
    engine = open_engine(url, pool_size=1)
    try:
        with clear_errors(engine), engine.begin() as connection:
            row = connection.execute(
                text("""
                SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
                    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS trigrams
                """)
            ).one()
            schema = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    newest = ScriptDirectory(SCRIPTS).get_current_head()
    return DatabaseState(row.version, schema, newest, row.trigrams, row.now)
