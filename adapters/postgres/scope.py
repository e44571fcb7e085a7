"""This is what every store works with: the transaction, whose rows they are, and the account's lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from hashlib import sha256
from typing import Any, Final

import orjson
from psycopg import Connection as PsycopgConnection
from psycopg import Cursor
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    Connection,
    Executable,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql import psycopg

from adapters.event_stores import BodyOf
from adapters.waiting_acts import WaitingActs
from trading.audits import AuditMark

_COUNTED: Final = {"preserve_rowcount": True}
READ_AGAIN: Final = 4096
"""So many rows that never change, or seldom, are known when they are read again: a busy day's, and more."""
_DIALECT: Final = psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's


@dataclass(frozen=True, slots=True)
class Question:
    """A statement as the driver itself takes it, with those of its values that never change."""

    words: bytes
    constants: Mapping[str, Any]


def asked(
    statement: Select[Any] | Insert | Update, columns: Iterable[str] | None = None
) -> Question:
    """Write a statement once that is asked on an order's way: SQLAlchemy takes as long for each time as the server.

    `columns`: those that it writes.
    """
    written = statement.compile(dialect=_DIALECT, column_keys=columns and list(columns))
    constants = {name: each.value for name, each in written.binds.items() if not each.required}
    return Question(written.string.encode(), constants)


def ask(
    connection: PsycopgConnection[Any], question: Question, values: Mapping[str, Any]
) -> Cursor[Any]:
    """Ask on any connection."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    return cursor.execute(question.words, {**question.constants, **values})


def adding(statement: Insert) -> Question:
    """Write an INSERT of one row once; what the database fills in itself is left to it."""
    return asked(statement, _given(statement.table))


def _given(table: Any) -> list[str]:
    return [c.name for c in table.c if c.identity is None and c.server_default is None]


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
    body_of: BodyOf | None = None
    """What writes the body of an event, if anybody is told of it."""
    before_commit: Callable[[], None] = field(default=_nothing, init=False)
    """What is left to do when everything else is done."""
    taken_in: list[str] = field(default_factory=list, init=False)
    """The names of those that this unit of work has written."""
    newest_act: AuditMark | None = field(default=None, init=False)
    """The newest audit row that this unit of work has written."""
    _is_locked: bool = field(default=False, init=False)
    _kept: defaultdict[Table, list[Mapping[str, Any]]] = field(
        default_factory=lambda: defaultdict(list), init=False
    )

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
            self.driver.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
            self._is_locked = True

    @property
    def driver(self) -> PsycopgConnection[Any]:
        """The driver's own connection, in the same transaction."""
        driver: Any = self.connection.connection.driver_connection
        assert isinstance(driver, PsycopgConnection)  # noqa: S101 - open_engine chose the driver
        return driver

    def rows(self, query: Executable | Question, **values: Any) -> Sequence[Any]:
        """Give every row."""
        if isinstance(query, Question):
            return self._ask(query, values).fetchall()
        return self.connection.execute(query, self.owner | values).all()

    def row(self, query: Executable | Question, **values: Any) -> Any:
        """Give the first row, None where there is none."""
        if isinstance(query, Question):
            return self._ask(query, values).fetchone()
        return self.connection.execute(query, self.owner | values).first()

    def _ask(self, question: Question, values: Mapping[str, Any]) -> Cursor[Any]:
        return ask(self.driver, question, {**self.owner, **values})

    def number(self, query: Executable, **values: Any) -> int:
        """Give the first figure of the first row, 0 where there is none."""
        return int(self.connection.scalar(query, self.owner | values) or 0)

    def changes(
        self, statement: Executable | Question, columns: Mapping[str, Any] | None = None
    ) -> int:
        """Execute with the columns to write, if any; give how many rows it wrote."""
        if isinstance(statement, Question):
            return self._ask(statement, columns or {}).rowcount
        return int(self.connection.execute(statement, columns, execution_options=_COUNTED).rowcount)

    def keep(self, table: Table, row: Mapping[str, Any]) -> None:
        """Keep a row of a log for the one statement that writes all of them; who reads the log calls `write` first."""
        self._kept[table].append({**self.owner, **row})

    def write(self) -> None:
        """Write the rows that were kept, each table's in their order."""
        if self._kept:
            rows = {table.name: orjson.dumps(rows).decode() for table, rows in self._kept.items()}
            self.driver.execute(_add_all(*self._kept), rows)
            self._kept.clear()


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


def pick(row: Any, value: type) -> dict[str, Any]:
    """Give the columns that a value of that class is made of."""
    return {name: row[place] for name, place in _places(row._fields, value)}


@cache
def _places(columns: tuple[str, ...], value: type) -> tuple[tuple[str, int], ...]:
    """Find a value's fields among a row's columns, once for all rows of a query."""
    names = (f.name for f in fields(value))
    return tuple((name, columns.index(name)) for name in names if name in columns)


@cache
def own(table: Table) -> Select[Any]:
    """Select an account's rows (of a table without accounts: a channel's); the scope knows whose.

    A query that is often asked is made once, with `bindparam` for what changes: making one takes longer than
    answering it.
    """
    query = select(table).where(table.c.channel == bindparam("channel"))
    return query.where(table.c.account == bindparam("account")) if "account" in table.c else query


def rows_of(table: Table, columns: str, given: str = ":rows") -> str:
    """Write the source of an INSERT of any number of rows, `given` as one JSON array.

    One statement that is the same for any number of rows, because one with all of them in it takes longer to make
    than to do. Not one for each in a pipeline, either: after such a batch PostgreSQL does not end a transaction
    that idles.
    """
    array = f"jsonb_populate_recordset(CAST(NULL AS {table.name}), CAST({given} AS jsonb))"
    return f"SELECT {columns} FROM {array}"  # noqa: S608 - our own names


@cache
def _add_all(*tables: Table) -> bytes:
    """Make the statement that adds rows to several tables; what the database fills in itself is left to it."""
    *others, last = [_add(table) for table in tables]
    beside = ", ".join(f"added_{place} AS ({each})" for place, each in enumerate(others))
    return (f"WITH {beside} {last}" if beside else last).encode()


def _add(table: Table) -> str:
    columns = ", ".join(_given(table))
    source = rows_of(table, columns, f"%({table.name})s")
    return f"INSERT INTO {table.name} ({columns}) {source}"
