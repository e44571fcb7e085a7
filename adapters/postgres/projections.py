"""This is what events add up to, in PostgreSQL."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from adapters.event_stores import (
    FILL_TOPIC,
    ORDER_TOPICS,
    OutboxEvent,
    ToldHolding,
    ToldOrder,
    told_fill,
    told_order,
)
from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import told_holdings, told_orders

_ORDER_KEY = ["channel", "account", "client_order_id"]
_HOLDING_KEY = ["channel", "account", "strategy_id", "symbol"]


class PostgresProjection:
    """Orders and holdings of one account, built from events alone."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def apply(self, event: OutboxEvent) -> None:
        """Add one event that was not added before."""
        if event.topic in ORDER_TOPICS:
            self._put(told_order(event))
        elif event.topic == FILL_TOPIC:
            self._add(told_fill(event))

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

    def _put(self, order: ToldOrder) -> None:
        columns = columns_of(order)
        put = insert(told_orders).values(**self._scope.owner, **columns)
        newer = put.on_conflict_do_update(
            index_elements=_ORDER_KEY,
            set_={name: put.excluded[name] for name in columns},
            where=told_orders.c.event_id < put.excluded.event_id,
        )
        self._scope.changes(newer)

    def _add(self, fill: ToldHolding) -> None:
        add = insert(told_holdings).values(**self._scope.owner, **columns_of(fill))
        sums = {name: told_holdings.c[name] + add.excluded[name] for name in ("quantity", "cash")}
        self._scope.changes(add.on_conflict_do_update(index_elements=_HOLDING_KEY, set_=sums))
