"""This is the connection pool to PostgreSQL, and one clear sentence when there is no reaching it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from select import POLLIN, poll
from typing import Any, Final

import psycopg
from psycopg.errors import (
    DiskFull,
    IdleInTransactionSessionTimeout,
    UndefinedColumn,
    UndefinedTable,
)
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapters.postgres.addresses import DATABASE_TLS, is_safe_database
from trading.errors import InvalidSetting, StoreFull, StoreUnavailable

POOL_SIZE: Final = 5
"""Connections that are kept; as many more are opened when they are needed."""
POOL_TIMEOUT: Final = 15
"""Seconds that one waits when all are in use."""
SESSION: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "timezone": "UTC",
        "lock_timeout": "15s",
        # A process that is stopped or stuck inside a unit of work must not block all others for ever.
        "idle_in_transaction_session_timeout": "30s",
        # The other machine may vanish without a word; its locks must not outlive it for long.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }.items()
)
CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "application_name": "maemae",
    "options": SESSION,
    # An answer that does not come, because the way to the database is cut, is waited for so long (ms): whoever waited
    # for it in a stream would keep its stops waiting, too.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
_AWAY: Final = (
    *(OperationalError, InterfaceError, PoolTimeoutError),
    *(psycopg.OperationalError, psycopg.InterfaceError, UndefinedTable, UndefinedColumn),
    IdleInTransactionSessionTimeout,
)
"""What is said when there is no reaching it, by SQLAlchemy or by the driver where it is asked itself."""


def parse_url(url: str) -> URL:
    """Read a database address; any PostgreSQL driver named in it is replaced by ours.

    Raises:
        InvalidSetting: when it is no PostgreSQL address, or one that would talk to another machine without TLS.
    """
    expected = "an address such as postgresql://user:password@127.0.0.1:5432/maemae"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidSetting("MAEMAE_DATABASE_URL", "***", expected) from None
    if not parsed.drivername.startswith("postgres") or not parsed.database:
        raise InvalidSetting("MAEMAE_DATABASE_URL", parsed.render_as_string(), expected)
    if not is_safe_database(url):
        raise InvalidSetting("MAEMAE_DATABASE_URL", parsed.host, DATABASE_TLS)
    return parsed.set(drivername="postgresql+psycopg")


def open_engine(url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """Make the pool; it connects when it is first used."""
    engine = create_engine(
        parse_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_TIMEOUT,
        pool_use_lifo=True,  # the one that was used last knows the statements, here and at the server
        connect_args=CONNECT,
    )
    event.listen(engine, "checkout", _require_kept)
    return engine


def is_left(connection: Any) -> bool:
    """Tell whether the server has ended an idle connection: it says so unasked, and says nothing else.

    A question would find that out, too, and takes as long as any other: a stop opens five units of work.
    """
    if connection.closed:
        return True
    waiting = poll()
    waiting.register(connection.fileno(), POLLIN)
    return bool(waiting.poll(0))


def _require_kept(connection: Any, *_: Any) -> None:
    if is_left(connection):
        raise DisconnectionError("the server has ended this connection")


@contextmanager
def clear_errors(engine: Engine) -> Iterator[None]:
    """Turn a lost or refused connection into one sentence with host, port and database.

    Raises:
        StoreUnavailable: when the database cannot be reached, went away, kept us waiting for a lock, or was
            never migrated.
        StoreFull: when its disk takes nothing more.
    """
    try:
        yield
    except _AWAY as error:
        raise unavailable(engine.url, _what_broke(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unavailable(engine.url, error) from error
        if isinstance(error.orig, UndefinedTable | UndefinedColumn):
            raise unavailable(engine.url, error) from error
        raise


def unavailable(url: URL, error: Exception) -> StoreUnavailable:
    """Say in one sentence which database failed and why."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, UndefinedTable | UndefinedColumn):
        return StoreUnavailable(f"{_name(url)} lacks tables or columns; run `maemae migrate`")
    if isinstance(cause, DiskFull):
        return StoreFull(f"{_name(url)}: {_first_line(cause)}")
    return StoreUnavailable(f"{_name(url)}: {_first_line(cause)}")


def _what_broke(error: Exception) -> Exception:
    """Give what broke the connection, where `error` is that of the rollback after it, which fails on a lost one."""
    cause = getattr(error, "orig", error)
    before = cause.__context__
    return before if isinstance(before, psycopg.Error) else cause


def _first_line(cause: BaseException) -> str:
    return str(cause).strip().splitlines()[0]


def _name(url: URL) -> str:
    return f"database {url.host}:{url.port or 5432}/{url.database}"
