"""This is the stores opened on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from importlib.resources import files
from typing import Any

from sqlalchemy import text

from adapters.audit_files import AuditFile
from adapters.event_stores import BodyOf
from adapters.postgres.crowds import Crowd, Tell
from adapters.postgres.engine import clear_errors, open_engine
from adapters.postgres.leases import Place, PostgresLease, hold_lease
from adapters.postgres.locks import PostgresLock, Sessions, hold_lock
from adapters.postgres.scope import Scope, own
from adapters.postgres.series import PostgresSeries
from adapters.postgres.tables import audit
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.stores import LEASE_SECONDS, UnitOfWork
from trading.audits import AuditEntry, AuditMark


class PostgresStores:
    """The memory of one channel and account; safe to share between threads, each with its own unit of work."""

    def __init__(
        self,
        url: str,
        *,
        channel: str,
        account: str,
        lease_seconds: float = LEASE_SECONDS,
        audit_file: AuditFile | None = None,
        on_crowd: Tell | None = None,
        body_of: BodyOf | None = None,
    ) -> None:
        """Open the pool; it connects at the first use.

        `lease_seconds`: how long a lease's holder may show no life before others take it over. `audit_file`
        keeps the newest audit row after each commit of one. `on_crowd` hears, now and then, that connections
        have run out and somebody waits. `body_of` writes what an event is told as, where events leave.

        Raises:
            InvalidSetting: when `url` is no PostgreSQL address.
        """
        self._engine = open_engine(url)
        self._sessions = Sessions(self._engine.url)
        self._crowd = Crowd(self._engine, on_crowd)
        self._channel, self._account = channel, account
        self._lease_seconds = lease_seconds
        self._audit_file, self._body_of = audit_file, body_of

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a transaction.

        Raises:
            StoreUnavailable: when the database cannot be reached, went away, or a lock took too long.
        """
        with self._open_scope() as scope:
            yield PostgresUnitOfWork(scope)

    @contextmanager
    def series(self) -> Iterator[PostgresSeries]:
        """Open a transaction that reads whole series of bars; raises as `begin` does."""
        with self._open_scope() as scope:
            yield PostgresSeries(scope)

    def lock(self, name: str) -> AbstractContextManager[PostgresLock]:
        """Try to be the only holder of `name` on this account in any process."""
        return hold_lock(self._engine.url, self._channel, self._account, name)

    def lease(self, name: str) -> AbstractContextManager[PostgresLease | None]:
        """Try to take the lease `name` of this account; gives None at once while a living holder has it."""
        place = Place(self._engine.url, self._channel, self._account, name)
        return hold_lease(place, self._sessions, self._open_scope, seconds=self._lease_seconds)

    def ask(self, question: str, **parameters: Any) -> tuple[Mapping[str, Any], ...]:
        """Answer one question of the report: the query `sql/queries/<question>.sql`, its rows by column.

        `:channel` and `:account` are this account's.
        """
        query = files("sql").joinpath("queries", f"{question}.sql").read_text("utf-8")
        owner = {"channel": self._channel, "account": self._account}
        with clear_errors(self._engine), self._engine.begin() as connection:
            rows = connection.execute(text(query), parameters | owner)
            return tuple(dict(row) for row in rows.mappings())

    def keep_act(self, entry: AuditEntry, *, at: datetime) -> None:
        """Keep an act on disk that no unit of work could take, for the next one that writes an act.

        Raises:
            DiskFull: when the disk does not take it.
        """
        if self._audit_file:
            self._audit_file.waiting.keep(entry, at=at)

    def close(self) -> None:
        """Close the idle connections."""
        self._sessions.close()
        self._engine.dispose()

    @contextmanager
    def _open_scope(self) -> Iterator[Scope]:
        self._crowd.look()
        with clear_errors(self._engine), self._engine.begin() as connection:
            waiting = self._audit_file.waiting if self._audit_file else None
            scope = Scope(connection, self._channel, self._account, waiting, self._body_of)
            yield scope
            scope.before_commit()
            scope.write()
        if scope.newest_act and self._audit_file:
            self._audit_file.keep(scope.newest_act, still_has=self._has_act)
            self._audit_file.waiting.drop(scope.taken_in)

    def _has_act(self, mark: AuditMark) -> bool:
        with self._open_scope() as scope:
            row = scope.row(own(audit).where(audit.c.number == mark.number))
            return row is not None and row.digest == mark.digest
