"""This is too many at once for the database: whoever comes then waits a little, and the owner hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.pool import QueuePool

from adapters.postgres.engine import POOL_SIZE, POOL_TIMEOUT

type Tell = Callable[[str], None]
"""Takes the sentence that the database, or this process, has no connection left."""

PAUSE_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 600.0
"""Between two warnings of one process."""
_REFUSALS: Final = ("too many", "remaining connection slots")
"""The server's words; a refused connection carries no code."""


@dataclass
class Crowd:
    """Watches one pool of connections."""

    engine: Engine
    tell: Tell | None = None
    _told_at: float = field(default=-QUIET_SECONDS)

    def __post_init__(self) -> None:
        """Let refused connections be tried again for as long as the pool lets one wait."""
        event.listen(self.engine, "do_connect", self._connect)

    def look(self) -> None:
        """Warn when the next one will have to wait for a connection."""
        pool = self.engine.pool
        if isinstance(pool, QueuePool) and pool.checkedout() >= 2 * POOL_SIZE:
            self._warn(f"all {2 * POOL_SIZE} connections of this process are in use")

    def _connect(self, dialect: Any, _: Any, words: list[Any], options: dict[str, Any]) -> Any:
        deadline = time.monotonic() + POOL_TIMEOUT
        while True:
            try:
                return dialect.connect(*words, **options)
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or not _is_crowded(error):
                    raise
                self._warn(str(error).strip())
            time.sleep(PAUSE_SECONDS)

    def _warn(self, words: str) -> None:
        now = time.monotonic()
        if now - self._told_at < QUIET_SECONDS:
            return
        import structlog  # noqa: PLC0415 - a tenth of a second for every command, and few have to wait

        self._told_at = now
        structlog.get_logger(__name__).warning("waiting for a database connection", words=words)
        if self.tell is not None:
            self.tell(words)


def _is_crowded(error: psycopg.OperationalError) -> bool:
    return any(words in str(error) for words in _REFUSALS)
