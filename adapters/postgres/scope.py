"""This is what every store works with: the transaction, whose rows they are, and the account's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, Table, select, text

from adapters.waiting_acts import WaitingActs
from trading.audits import AuditMark


def _nothing() -> None:
    """Leave nothing to do."""


@dataclass(slots=True)
class Scope:
    """One unit of work on one account. Rows of other channels and accounts do not exist for it."""

    connection: Connection
    channel: str
    account: str
    waiting: WaitingActs | None = None
    """Acts that no database could take, if there may be any."""
    before_commit: Callable[[], None] = field(default=_nothing, init=False)
    """What is left to do when everything else is done."""
    taken_in: list[str] = field(default_factory=list, init=False)
    """The names of those that this unit of work has written."""
    newest_act: AuditMark | None = field(default=None, init=False)
    """The newest audit row that this unit of work has written."""
    _is_locked: bool = field(default=False, init=False)

    @property
    def owner(self) -> dict[str, str]:
        """The columns that say whose row it is."""
        return {"channel": self.channel, "account": self.account}

    def lock_account(self) -> None:
        """Be the only unit of work that reads for change or writes this account's orders, fills and ledger.

        One account has one book, and one lock for it leaves no order of locks to get wrong. It ends with the
        transaction.
        """
        if not self._is_locked:
            key = account_key(self.channel, self.account)
            self.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            self._is_locked = True

    def own(self, table: Table) -> Select[Any]:
        """Select this account's rows (of a table without accounts: this channel's)."""
        return own(table, self.channel, self.account)

    def rows(self, query: Executable) -> Sequence[Row[Any]]:
        """Give every row."""
        return self.connection.execute(query).all()

    def row(self, query: Executable) -> Row[Any] | None:
        """Give the first row, if any."""
        return self.connection.execute(query).first()

    def changes(self, statement: Executable, columns: Mapping[str, Any] | None = None) -> int:
        """Execute with the columns to write, if any; give how many rows it wrote."""
        counted = statement.execution_options(preserve_rowcount=True)
        return int(self.connection.execute(counted, columns).rowcount)


def account_key(channel: str, account: str) -> int:
    """Derive the number of an account's lock."""
    return lock_key("account", channel, account)


def lock_key(*parts: str) -> int:
    """Derive the number that PostgreSQL's advisory locks want."""
    return int.from_bytes(sha256("/".join(parts).encode()).digest()[:8], signed=True)


def columns_of(value: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Give a value's fields by name."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in without}


def array_of(numbers: Iterable[int]) -> str:
    """Write numbers as PostgreSQL reads an array; one at a time, the driver takes longer than the server."""
    return f"{{{','.join(map(str, numbers))}}}"


def pick(row: Row[Any], value: type) -> dict[str, Any]:
    """Give the columns that a value of that class is made of."""
    return {name: row[place] for name, place in _places(row._fields, value)}


@cache
def _places(columns: tuple[str, ...], value: type) -> tuple[tuple[str, int], ...]:
    """Find a value's fields among a row's columns, once for all rows of a query."""
    names = (f.name for f in fields(value))
    return tuple((name, columns.index(name)) for name in names if name in columns)


@cache
def own(table: Table, channel: str, account: str) -> Select[Any]:
    """Make the query of an account's rows, once: making one takes longer than answering it."""
    query = select(table).where(table.c.channel == channel)
    return query.where(table.c.account == account) if "account" in table.c else query
