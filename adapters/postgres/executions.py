"""This is the booked fills in PostgreSQL."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from adapters.events import execution_fill
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, columns_of, own, pick
from adapters.postgres.tables import executions
from trading.executions import Execution, ExecutionSource
from trading.instruments import Symbol
from trading.orders import Side

_fill = executions.c
SIGNED = case((_fill.side == Side.SELL, -_fill.quantity), else_=_fill.quantity)
"""The shares that a fill adds to what is held."""


class PostgresExecutions:
    """Fills of one account, each once."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox

    def add(self, execution: Execution) -> bool:
        """Write and tell; False when the execution_id exists.

        Raises:
            LookupError: when its order was never added.
        """
        self._scope.lock_account()
        added = insert(executions).on_conflict_do_nothing()
        try:
            is_new = self._scope.changes(added, columns_of(execution) | self._scope.owner) == 1
        except IntegrityError as error:
            if not isinstance(error.orig, ForeignKeyViolation):
                raise
            raise LookupError(f"order {execution.client_order_id} was never added") from error
        if is_new:
            self._outbox.add(execution_fill(execution))
        return is_new

    def of_order(self, client_order_id: str) -> tuple[Execution, ...]:
        """Give an order's fills in order of booking."""
        own = self._scope.own(executions)
        return self._all(own.where(executions.c.client_order_id == client_order_id))

    def of_day(self, trading_day: date) -> tuple[Execution, ...]:
        """Give the day's fills in order of booking."""
        return self._all(self._scope.own(executions).where(executions.c.trading_day == trading_day))

    def all(self) -> tuple[Execution, ...]:
        """Give every fill in order of booking."""
        return self._all(self._scope.own(executions))

    def standing(self) -> tuple[Execution, ...]:
        """Give the fills since each strategy's holding of each symbol was last flat, in order of booking."""
        return self._all(_standing(self._scope.channel, self._scope.account))

    def net_quantity(self, strategy_id: str, symbol: Symbol) -> int:
        """Give the shares of `symbol` that the strategy bought less those it sold."""
        own = self._scope.own(executions).with_only_columns(func.sum(SIGNED))
        query = own.where(_fill.strategy_id == strategy_id, _fill.symbol == symbol)
        return int(self._scope.connection.scalar(query) or 0)

    def _all(self, query: Select[Any]) -> tuple[Execution, ...]:
        rows = self._scope.rows(query.order_by(executions.c.sequence))
        return tuple(execution_of(row) for row in rows)


@cache
def _standing(channel: str, account: str) -> Select[Any]:
    """Make the query of the fills since each holding was last flat, once: each price that ends one asks for it."""
    of = (_fill.strategy_id, _fill.symbol)
    total = func.sum(SIGNED).over(partition_by=of, order_by=_fill.sequence)
    mine = own(executions, channel, account)
    steps = mine.with_only_columns(*of, _fill.sequence, total.label("held")).subquery()
    flat = func.max(steps.c.sequence).filter(steps.c.held == 0)
    ends = select(steps.c.strategy_id, steps.c.symbol, func.coalesce(flat, 0).label("flat_at"))
    end = ends.group_by(steps.c.strategy_id, steps.c.symbol).subquery()
    same = (_fill.strategy_id == end.c.strategy_id) & (_fill.symbol == end.c.symbol)
    return mine.join(end, same).where(_fill.sequence > end.c.flat_at)


def execution_of(row: Row[Any]) -> Execution:
    """Read a row."""
    names = {"symbol": Symbol(row.symbol), "side": Side(row.side)}
    return Execution(**pick(row, Execution) | names | {"source": ExecutionSource(row.source)})
