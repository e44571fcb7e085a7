"""This is the way to the newest schema; running it again changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import sql.migrations
from adapters.postgres.engine import clear_errors, open_engine

SCRIPTS: Final = Path(sql.migrations.__file__).parent


def migrate(url: str) -> None:
    """Apply every step that the database has not seen, all or none; one process at a time.

    A schema of newer code stays as it is: code that was returned to works with it, because steps only ever add.

    Raises:
        InvalidSetting: when `url` is no PostgreSQL address.
        StoreUnavailable: when the database cannot be reached.
    """
    engine = open_engine(url, pool_size=1)
    try:
        with clear_errors(engine), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('maemae migrations'))"))
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            if _knows_schema(connection, config):
                command.upgrade(config, "head")
    finally:
        engine.dispose()


def _knows_schema(connection: Connection, config: Config) -> bool:
    """Tell whether the schema is one of our own steps, or none yet."""
    found = MigrationContext.configure(connection).get_current_revision()
    steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    return found is None or found in steps
