"""This is the orders and their timelines in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import Any, Final

from psycopg.errors import UniqueViolation
from sqlalchemy import ColumnElement, bindparam, literal_column, update
from sqlalchemy.dialects.postgresql import insert

from adapters.events import order_new, order_state
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import (
    READ_AGAIN,
    Question,
    Scope,
    adding,
    asked,
    columns_of,
    own,
    pick,
)
from adapters.postgres.tables import order_events, orders
from adapters.stores import OrderEvent, check_owner, number_is_taken
from trading.instruments import Symbol
from trading.orders import OPEN_STATUSES, Order, OrderIntent, OrderStatus, OrderType, Side

_STATE: Final = ("intent",)
"""What of an order lies in columns of its own intent and never changes."""
_KEY: Final = (orders.c.channel, orders.c.account, orders.c.client_order_id)
_ADD: Final = adding(insert(orders).on_conflict_do_nothing(index_elements=_KEY))
_SAVE: Final = asked(
    update(orders).where(
        orders.c.channel == bindparam("of_channel"),
        orders.c.account == bindparam("of_account"),
        orders.c.client_order_id == bindparam("of_order"),
    ),
    (each.name for each in fields(Order) if each.name not in _STATE),
)
_OLDEST_FIRST: Final = own(orders).order_by(orders.c.sequence)
_ONE: Final = asked(own(orders).where(orders.c.client_order_id == bindparam("client_order_id")))
_IN_DAY: Final = _OLDEST_FIRST.where(orders.c.trading_day == bindparam("trading_day"))
_NUMBERED: Final = asked(_IN_DAY.where(orders.c.broker_order_id == bindparam("broker_order_id")))
_OPEN_WORDS: Final[list[ColumnElement[str]]] = [
    literal_column(f"'{status}'") for status in sorted(OPEN_STATUSES)
]
_IS_OPEN: Final = orders.c.status.in_(_OPEN_WORDS)
_OPEN: Final = asked(_OLDEST_FIRST.where(_IS_OPEN))
_OPEN_OR_OF_DAY: Final = asked(
    _OLDEST_FIRST.where(_IS_OPEN | (orders.c.trading_day == bindparam("trading_day")))
)
_TIMELINE: Final = (
    own(order_events)
    .where(order_events.c.client_order_id == bindparam("client_order_id"))
    .order_by(order_events.c.event_id)
)


class PostgresOrders:
    """Orders of one account. Reading them takes the account's lock, so that nothing changes in between."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox
        self._open: tuple[Order, ...] | None = None

    def add(self, order: Order, *later: Order, detail: str = "") -> bool:
        """Write a new order with the states it went through since, their timeline, and tell; False when the id exists.

        Raises:
            BadInput: when it is an order of another channel or account, or the broker's number is taken.
        """
        check_owner(order.intent, self._scope.channel, self._scope.account)
        self._scope.lock_account()
        newest = later[-1] if later else order
        columns = {**columns_of(order.intent), **columns_of(newest, without=_STATE)}
        is_new = self._write(_ADD, newest, columns) == 1
        if is_new:
            self._note(order, order.intent.reason)
            self._outbox.add(order_new(order))
            self._tell(*later, detail=detail)
        return is_new

    def save(self, order: Order, *, detail: str = "") -> None:
        """Write the new state, one line of timeline, and tell.

        Raises:
            LookupError: when the order was never added.
            BadInput: when another order of the day has the broker's number.
        """
        self._scope.lock_account()
        state = columns_of(order, without=_STATE)
        state |= {f"of_{name}": word for name, word in self._scope.owner.items()}
        if not self._write(_SAVE, order, state | {"of_order": order.client_order_id}):
            raise LookupError(f"order {order.client_order_id} was never added")
        self._tell(order, detail=detail)

    def get(self, client_order_id: str) -> Order | None:
        """Give one."""
        return self._first(_ONE, client_order_id=client_order_id)

    def by_broker_id(self, trading_day: date, broker_order_id: str) -> Order | None:
        """Give the order that the broker's number of that day belongs to; "" belongs to none."""
        if not broker_order_id:
            return None
        return self._first(_NUMBERED, trading_day=trading_day, broker_order_id=broker_order_id)

    def open(self) -> tuple[Order, ...]:
        """Give every open order, oldest first."""
        if self._open is None:  # under the account's lock nobody else changes it
            self._open = self._all(_OPEN)
        return self._open

    def of_day(self, trading_day: date) -> tuple[Order, ...]:
        """Give the day's orders, oldest first; the open ones of other days are read with them for who asks next."""
        known = self._all(_OPEN_OR_OF_DAY, trading_day=trading_day)
        self._open = tuple(order for order in known if order.is_open)
        return tuple(order for order in known if order.intent.trading_day == trading_day)

    def timeline(self, client_order_id: str) -> tuple[OrderEvent, ...]:
        """Give the order's history."""
        self._scope.write()
        rows = self._scope.rows(_TIMELINE, client_order_id=client_order_id)
        return tuple(OrderEvent(**pick(row, OrderEvent)) for row in rows)

    def _first(self, query: Question, **values: Any) -> Order | None:
        self._scope.lock_account()
        row = self._scope.row(query, **values)
        return _order(row) if row else None

    def _all(self, query: Question, **values: Any) -> tuple[Order, ...]:
        self._scope.lock_account()
        return tuple(_order(row) for row in self._scope.rows(query, **values))

    def _write(self, statement: Question, order: Order, columns: Mapping[str, Any]) -> int:
        self._open = None
        try:
            return self._scope.changes(statement, columns)
        except UniqueViolation as error:
            raise number_is_taken(order.broker_order_id) from error

    def _tell(self, *states: Order, detail: str) -> None:
        for order in states:
            self._note(order, detail)
            self._outbox.add(order_state(order, detail=detail))

    def _note(self, order: Order, detail: str) -> None:
        event = OrderEvent(order.client_order_id, order.status, order.updated_at, detail)
        self._scope.keep(order_events, columns_of(event))


@lru_cache(READ_AGAIN)  # a day's orders are read for each new one
def _order(row: Any) -> Order:
    names = {"symbol": Symbol(row.symbol), "side": Side(row.side)}
    intent = OrderIntent(
        **pick(row, OrderIntent) | names | {"order_type": OrderType(row.order_type)}
    )
    return Order(intent=intent, **pick(row, Order) | {"status": OrderStatus(row.status)})
