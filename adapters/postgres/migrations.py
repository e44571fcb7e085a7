"""This is the way to the newest schema; running it again changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import sql.migrations
from adapters.postgres.engine import clear_errors, open_engine

SCRIPTS: Final = Path(sql.migrations.__file__).parent


def migrate(url: str) -> None:
    """Apply every step that the database has not seen, all or none; one process at a time.

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
            command.upgrade(config, "head")
    finally:
        engine.dispose()
