"""This is the lease in PostgreSQL: a session lock that dies with its holder, and a row that counts the takings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy.engine import URL

from adapters.postgres.engine import is_left, unavailable
from adapters.postgres.halts import halts_in_force
from adapters.postgres.locks import Session, Sessions, open_session, try_lock
from adapters.postgres.scope import Scope, account_key, lock_key
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.stores import UnitOfWork
from trading.errors import LeaseLost, StoreUnavailable
from trading.halts import Halt

type OpenScope = Callable[[], AbstractContextManager[Scope]]

_ROW: Final = "channel = %(channel)s AND account = %(account)s AND name = %(name)s"
_OURS: Final = f"{_ROW} AND token = %(token)s AND backend_pid = %(backend_pid)s"
_RENEW: Final = f"UPDATE leases SET alive_at = clock_timestamp() WHERE {_OURS}"  # noqa: S608 - our words
_RETURN: Final = f"UPDATE leases SET is_returned = true WHERE {_OURS}"  # noqa: S608 - our words
_TAKE: Final = f"""
    INSERT INTO leases AS known (channel, account, name, token, backend_pid, is_returned, alive_at)
    VALUES (%(channel)s, %(account)s, %(name)s, 1, pg_backend_pid(), false, clock_timestamp())
    ON CONFLICT (channel, account, name) DO UPDATE SET token = known.token + 1,
        backend_pid = pg_backend_pid(), is_returned = false, alive_at = clock_timestamp()
    RETURNING token, (SELECT is_returned FROM leases WHERE {_ROW})
"""  # noqa: S608 - our words
"""The token of this taking, and whether the one before it was given back.

It waits for no disk: what a crash of the database forgets of it nobody has acted on, because an order's commit, which
does wait, takes everything before it to the disk.
"""
_END_THE_SILENT: Final = f"""
    SELECT pg_terminate_backend(holding.pid, 5000)
    FROM leases JOIN pg_locks AS holding ON holding.pid = leases.backend_pid
    WHERE {_ROW} AND alive_at < clock_timestamp() - make_interval(secs => %(seconds)s)
        AND holding.locktype = 'advisory' AND holding.objsubid = 1 AND holding.granted
        AND (holding.classid::bigint << 32 | holding.objid::bigint) = %(key)s
"""  # noqa: S608 - our words


@dataclass(frozen=True, slots=True)
class Place:
    """Which lease, in which database."""

    url: URL
    channel: str
    account: str
    name: str

    @property
    def owner(self) -> dict[str, str]:
        """The columns that say whose it is."""
        return {"channel": self.channel, "account": self.account}

    @property
    def row(self) -> dict[str, Any]:
        """The columns that name its row."""
        return {**self.owner, "name": self.name}

    @property
    def key(self) -> int:
        """The number of its session lock."""
        return lock_key("lease", self.channel, self.account, self.name)


@dataclass(frozen=True, slots=True)
class Taking:
    """One taking: its token, and whether the one before it was given back."""

    token: int
    was_returned: bool


class PostgresLease:
    """A lease that was taken. It is lost for good with its connection, whoever or whatever ended that."""

    def __init__(
        self, place: Place, session: Session, taking: Taking, open_scope: OpenScope
    ) -> None:
        self._place, self._session, self._open_scope = place, session, open_scope
        self.token, self.needs_recovery = taking.token, not taking.was_returned
        self._backend_pid = session.info.backend_pid

    def recovered(self) -> None:
        """Note that the account has been gone through."""
        self.needs_recovery = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a transaction that can only commit while the token is the newest.

        The account's lock, which every taking needs too, keeps the token from rising before the commit.

        Raises:
            LeaseLost: when the lease is lost; nothing is written.
            StoreUnavailable: when the database cannot be reached or went away; nothing is written either.
        """
        if is_left(self._session):
            self.check()  # it says what became of it
        try:
            with self._open_scope() as scope:
                scope.lock_account()
                self._renew(scope.driver)
                yield PostgresUnitOfWork(scope)
        except StoreUnavailable:
            self.check()  # who slept through a take-over is told that, not that a connection went away
            raise

    def check(self) -> None:
        """Make sure that the lease is still held, and show that its holder lives: one round trip.

        Raises:
            LeaseLost: when it is lost.
            StoreUnavailable: when the database cannot be reached.
        """
        self._ask(lambda: self._renew(self._session))

    def look(self) -> tuple[Halt, ...]:
        """Give the halts in force, and make sure after that that the lease is still held: two round trips.

        Raises:
            LeaseLost: when it is lost.
            StoreUnavailable: when the database cannot be reached.
        """
        halts = self._ask(lambda: halts_in_force(self._session, self._place.owner))
        self.check()
        return halts

    def give_back(self) -> None:
        """Note the orderly end; without the recovery that was asked for there is none."""
        if not self.needs_recovery:
            with suppress(psycopg.Error):
                self._session.execute(_RETURN.encode(), self._taking)

    def _ask[Answer](self, question: Callable[[], Answer]) -> Answer:
        try:
            return question()
        except psycopg.Error as error:
            self._session.close()
            open_session(self._place.url).close()  # nobody can tell while the database is away
            raise self._lost() from error

    def _renew(self, connection: psycopg.Connection[Any]) -> None:
        if connection.execute(_RENEW.encode(), self._taking).rowcount != 1:
            raise self._lost()

    @property
    def _taking(self) -> dict[str, Any]:
        """The columns that name this taking."""
        return self._place.row | {"token": self.token, "backend_pid": self._backend_pid}

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"lease {self._place.name}: token {self.token} is over")


@contextmanager
def hold_lease(
    place: Place, sessions: Sessions, open_scope: OpenScope, *, seconds: float
) -> Iterator[PostgresLease | None]:
    """Try to take a lease; gives None at once while somebody holds it who showed life in the last `seconds`.

    Raises:
        StoreUnavailable: when the database cannot be reached.
    """
    with sessions.one() as session:
        try:
            taking = _take(session, place, seconds)
        except psycopg.Error as error:
            raise unavailable(place.url, error) from error
        lease = PostgresLease(place, session, taking, open_scope) if taking else None
        yield lease
        if lease:
            lease.give_back()


def _take(session: Session, place: Place, seconds: float) -> Taking | None:
    # In one transaction, because the database ends one that idles: who is stopped in here blocks nobody for long.
    with session.transaction():
        if not _lock(session, place, seconds):
            return None
        account = account_key(place.channel, place.account)
        session.execute("SELECT pg_advisory_xact_lock(%s)", (account,))
        taken = session.execute(_TAKE.encode(), place.row).fetchone()
    return Taking(taken[0], taken[1] is not False) if taken else None


def _lock(session: Session, place: Place, seconds: float) -> bool:
    if try_lock(session, place.key):
        return True
    silent = place.row | {"key": place.key, "seconds": seconds}
    ended = session.execute(_END_THE_SILENT.encode(), silent).rowcount
    return bool(ended) and try_lock(session, place.key)
