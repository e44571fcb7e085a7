"""This is the orders and their timelines in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import Executable, Row, Select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from adapters.events import order_new, order_state
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import order_events, orders
from adapters.stores import OrderEvent, check_owner, number_is_taken
from trading.instruments import Symbol
from trading.orders import OPEN_STATUSES, Order, OrderIntent, OrderStatus, OrderType, Side

_STATE = ("intent",)
"""What of an order lies in columns of its own intent and never changes."""


class PostgresOrders:
    """Orders of one account. Reading them takes the account's lock, so that nothing changes in between."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox
        self._open: tuple[Order, ...] | None = None

    def add(self, order: Order) -> bool:
        """Write a new order, its first line of timeline, and tell; False when the id exists.

        Raises:
            BadInput: when it is an order of another channel or account, or the broker's number is taken.
        """
        check_owner(order.intent, self._scope.channel, self._scope.account)
        self._scope.lock_account()
        columns = {**columns_of(order.intent), **columns_of(order, without=_STATE)}
        key = [orders.c.channel, orders.c.account, orders.c.client_order_id]
        added = insert(orders).on_conflict_do_nothing(index_elements=key)
        is_new = self._write(added, order, columns) == 1
        if is_new:
            self._note(order, order.intent.reason)
            self._outbox.add(order_new(order))
        return is_new

    def save(self, order: Order, *, detail: str = "") -> None:
        """Write the new state, one line of timeline, and tell.

        Raises:
            LookupError: when the order was never added.
            BadInput: when another order of the day has the broker's number.
        """
        self._scope.lock_account()
        state = columns_of(order, without=_STATE)
        saved = update(orders).filter_by(**self._scope.owner, client_order_id=order.client_order_id)
        if not self._write(saved, order, state):
            raise LookupError(f"order {order.client_order_id} was never added")
        self._note(order, detail)
        self._outbox.add(order_state(order, detail=detail))

    def get(self, client_order_id: str) -> Order | None:
        """Give one."""
        return self._first(self._own().where(orders.c.client_order_id == client_order_id))

    def by_broker_id(self, trading_day: date, broker_order_id: str) -> Order | None:
        """Give the order that the broker's number of that day belongs to; "" belongs to none."""
        if not broker_order_id:
            return None
        query = self._own().where(orders.c.trading_day == trading_day)
        return self._first(query.where(orders.c.broker_order_id == broker_order_id))

    def open(self) -> tuple[Order, ...]:
        """Give every open order, oldest first."""
        if self._open is None:  # under the account's lock nobody else changes it
            self._open = self._all(self._own().where(orders.c.status.in_(sorted(OPEN_STATUSES))))
        return self._open

    def of_day(self, trading_day: date) -> tuple[Order, ...]:
        """Give the day's orders, oldest first."""
        return self._all(self._own().where(orders.c.trading_day == trading_day))

    def timeline(self, client_order_id: str) -> tuple[OrderEvent, ...]:
        """Give the order's history."""
        query = self._scope.own(order_events).order_by(order_events.c.event_id)
        rows = self._scope.rows(query.where(order_events.c.client_order_id == client_order_id))
        return tuple(OrderEvent(**pick(row, OrderEvent)) for row in rows)

    def _own(self) -> Select[Any]:
        self._scope.lock_account()
        return self._scope.own(orders)

    def _first(self, query: Select[Any]) -> Order | None:
        row = self._scope.row(query)
        return _order(row) if row else None

    def _all(self, query: Select[Any]) -> tuple[Order, ...]:
        rows: Sequence[Row[Any]] = self._scope.rows(query.order_by(orders.c.sequence))
        return tuple(_order(row) for row in rows)

    def _write(self, statement: Executable, order: Order, columns: Mapping[str, Any]) -> int:
        self._open = None
        try:
            return self._scope.changes(statement, columns)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            raise number_is_taken(order.broker_order_id) from error

    def _note(self, order: Order, detail: str) -> None:
        event = OrderEvent(order.client_order_id, order.status, order.updated_at, detail)
        self._scope.changes(insert(order_events), self._scope.owner | columns_of(event))


def _order(row: Row[Any]) -> Order:
    names = {"symbol": Symbol(row.symbol), "side": Side(row.side)}
    intent = OrderIntent(
        **pick(row, OrderIntent) | names | {"order_type": OrderType(row.order_type)}
    )
    return Order(intent=intent, **pick(row, Order) | {"status": OrderStatus(row.status)})
