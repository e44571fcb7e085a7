"""This is what events add up to, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

import orjson
from sqlalchemy import Executable, Table, TextClause, delete, text
from sqlalchemy.exc import DataError

from adapters.event_stores import (
    OutboxEvent,
    ToldHolding,
    ToldOrder,
    Unstorable,
    newest_orders,
    sum_of_fills,
)
from adapters.postgres.scope import Scope, columns_of, own, pick, rows_of
from adapters.postgres.tables import told_holdings, told_orders


def _put(table: Table, key: str, changes: str) -> TextClause:
    """Make the statement that writes any number of rows."""
    names = ", ".join(column.name for column in table.c)
    return text(
        f"INSERT INTO {table.name} AS known ({names}) {rows_of(table, names)}"
        f" ON CONFLICT (channel, account, {key}) DO UPDATE SET {changes}"
    )


_STATE: Final = ", ".join(f"{f.name} = excluded.{f.name}" for f in fields(ToldOrder))
_PUT_ORDERS: Final = _put(
    told_orders, "client_order_id", f"{_STATE} WHERE known.event_id < excluded.event_id"
)
_SUM: Final = ", ".join(f"{name} = known.{name} + excluded.{name}" for name in ("quantity", "cash"))
_ADD_FILLS: Final = _put(told_holdings, "strategy_id, symbol", _SUM)


class PostgresProjection:
    """Orders and holdings of one account, built from events alone."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def apply(self, events: Iterable[OutboxEvent]) -> None:
        """Add events that were not added before.

        Raises:
            Unstorable: when one of them says what no column holds.
        """
        told = tuple(events)
        self._write(_PUT_ORDERS, newest_orders(told).values())
        self._write(_ADD_FILLS, sum_of_fills(told).values())

    def orders(self) -> tuple[ToldOrder, ...]:
        """Give every order, by id."""
        query = own(told_orders).order_by(told_orders.c.client_order_id)
        return tuple(ToldOrder(**pick(row, ToldOrder)) for row in self._scope.rows(query))

    def holdings(self) -> tuple[ToldHolding, ...]:
        """Give what each strategy traded."""
        query = own(told_holdings).order_by(told_holdings.c.strategy_id, told_holdings.c.symbol)
        return tuple(ToldHolding(**pick(row, ToldHolding)) for row in self._scope.rows(query))

    def clear(self) -> None:
        """Forget everything."""
        for table in (told_orders, told_holdings):
            self._scope.changes(delete(table).filter_by(**self._scope.owner))

    def _write(self, statement: Executable, rows: Iterable[ToldOrder | ToldHolding]) -> None:
        columns = [self._scope.owner | columns_of(row) for row in rows]
        if not columns:
            return
        try:
            self._scope.changes(statement, {"rows": orjson.dumps(columns).decode()})
        except (DataError, orjson.JSONEncodeError) as error:
            cause = error.orig if isinstance(error, DataError) else error
            raise Unstorable(f"cannot be stored: {str(cause).splitlines()[0]}") from error
