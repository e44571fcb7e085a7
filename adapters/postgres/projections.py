"""This is what events add up to, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from sqlalchemy import Executable, delete
from sqlalchemy.dialects.postgresql import insert

from adapters.event_stores import (
    OutboxEvent,
    ToldHolding,
    ToldOrder,
    newest_orders,
    sum_of_fills,
)
from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import told_holdings, told_orders

_order, _held = insert(told_orders), insert(told_holdings)
_PUT_ORDER: Final = _order.on_conflict_do_update(
    index_elements=["channel", "account", "client_order_id"],
    set_={name: _order.excluded[name] for name in (f.name for f in fields(ToldOrder))},
    where=told_orders.c.event_id < _order.excluded.event_id,
)
_ADD_FILLS: Final = _held.on_conflict_do_update(
    index_elements=["channel", "account", "strategy_id", "symbol"],
    set_={name: told_holdings.c[name] + _held.excluded[name] for name in ("quantity", "cash")},
)


class PostgresProjection:
    """Orders and holdings of one account, built from events alone."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def apply(self, events: Iterable[OutboxEvent]) -> None:
        """Add events that were not added before."""
        told = tuple(events)
        self._write(_PUT_ORDER, newest_orders(told).values())
        self._write(_ADD_FILLS, sum_of_fills(told).values())

    def orders(self) -> tuple[ToldOrder, ...]:
        """Give every order, by id."""
        query = self._scope.own(told_orders).order_by(told_orders.c.client_order_id)
        return tuple(ToldOrder(**pick(row, ToldOrder)) for row in self._scope.rows(query))

    def holdings(self) -> tuple[ToldHolding, ...]:
        """Give what each strategy traded."""
        own = self._scope.own(told_holdings)
        query = own.order_by(told_holdings.c.strategy_id, told_holdings.c.symbol)
        return tuple(ToldHolding(**pick(row, ToldHolding)) for row in self._scope.rows(query))

    def clear(self) -> None:
        """Forget everything."""
        for table in (told_orders, told_holdings):
            self._scope.changes(delete(table).filter_by(**self._scope.owner))

    def _write(self, statement: Executable, rows: Iterable[ToldOrder | ToldHolding]) -> None:
        columns = [self._scope.owner | columns_of(row) for row in rows]
        if columns:
            self._scope.connection.execute(statement, columns)
