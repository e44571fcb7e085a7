"""This is the lock between processes: held by a connection of its own, freed by its death."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from adapters.postgres.engine import CONNECT, is_left, unavailable
from adapters.postgres.scope import lock_key

type Session = psycopg.Connection[tuple[Any, ...]]


def open_session(url: URL) -> Session:
    """Open a connection outside the pool that commits each statement; its locks live as long as it does.

    Its commits do not wait for the disk.

    Raises:
        StoreUnavailable: when the database cannot be reached.
    """
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = {"options": f"{CONNECT['options']} -c synchronous_commit=off"}
    try:
        return psycopg.connect(address, autocommit=True, **CONNECT | options)
    except psycopg.OperationalError as error:
        raise unavailable(url, error) from error


def try_lock(session: Session, key: int) -> bool:
    """Take the lock if nobody has it."""
    row = session.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


def _end(session: Session) -> None:
    """Free every lock of the session, and close it."""
    with closing(session), suppress(psycopg.Error):  # a lost connection has lost its locks already
        session.execute("SELECT pg_advisory_unlock_all()")


class Sessions:
    """Connections outside the pool, each one's for a while. One that ended in order serves the next, too.

    A stop waits for its lease, and a new connection takes longer than all else about that. What was lost with a
    connection stays lost: its locks, and what was taken under its server process.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._kept: list[Session] = []

    @contextmanager
    def one(self) -> Iterator[Session]:
        """Give a connection that holds no lock; its locks are freed at the end of the block.

        Raises:
            StoreUnavailable: when the database cannot be reached.
        """
        session, has_ended = self._living() or open_session(self._url), False
        try:
            yield session
            has_ended = True
        finally:
            if has_ended and not self._kept and _is_cleared(session):
                self._kept.append(session)
            else:
                _end(session)

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop().close()

    def _living(self) -> Session | None:
        """Give the one that is kept, None when there is none or the server has left it."""
        with suppress(IndexError):
            session = self._kept.pop()
            if not is_left(session):
                return session
            session.close()
        return None


def _is_cleared(session: Session) -> bool:
    """Bring a connection back to how it was opened; False when it is lost."""
    try:
        session.execute("SELECT pg_advisory_unlock_all(); RESET ALL")
    except psycopg.Error:
        return False
    return True


class PostgresLock:
    """A lock that was asked for. It is lost with its connection, and asked for again on the next one."""

    def __init__(self, url: URL, key: int) -> None:
        self._url, self._key = url, key
        self._session: Session | None = open_session(url)
        self._is_ours = False
        self._turn = Lock()

    def __bool__(self) -> bool:
        """Tell whether it was ours when it was last asked for."""
        return self._is_ours

    def keep(self) -> bool:
        """Take it if nobody has it, else see whether it is ours still.

        Raises:
            StoreUnavailable: when the database cannot be reached.
        """
        with self._turn:
            if self._session is None:
                return False
            try:
                self._session.execute("SELECT 1")
            except psycopg.Error:
                self._is_ours = False
                self._session.close()
                self._session = open_session(self._url)
            try:
                self._is_ours = self._is_ours or try_lock(self._session, self._key)
            except psycopg.Error as error:
                raise unavailable(self._url, error) from error
            return self._is_ours

    def end(self) -> None:
        """Let it go for good."""
        with self._turn:
            session, self._session = self._session, None
            if session:
                _end(session)


@contextmanager
def hold_lock(url: URL, *name: str) -> Iterator[PostgresLock]:
    """Try to be the only holder of `name` in this database; false at once when another holds it.

    Raises:
        StoreUnavailable: when the database cannot be reached.
    """
    lock = PostgresLock(url, lock_key("lock", *name))
    try:
        lock.keep()
        yield lock
    finally:
        lock.end()
