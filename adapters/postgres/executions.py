"""This is the booked fills in PostgreSQL."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, Final

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.events import execution_fill
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
from adapters.postgres.tables import executions
from trading.executions import Execution, ExecutionSource
from trading.instruments import Symbol
from trading.orders import Side

_fill = executions.c
SIGNED = case((_fill.side == Side.SELL, -_fill.quantity), else_=_fill.quantity)
"""The shares that a fill adds to what is held."""

_ADD: Final = adding(insert(executions).on_conflict_do_nothing())
_IN_ORDER: Final = own(executions).order_by(_fill.sequence)
_BOOKED: Final = asked(_IN_ORDER)
_OF_ORDER: Final = asked(_IN_ORDER.where(_fill.client_order_id == bindparam("client_order_id")))
_OF_DAY: Final = asked(_IN_ORDER.where(_fill.trading_day == bindparam("trading_day")))


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
        try:
            is_new = self._scope.changes(_ADD, columns_of(execution) | self._scope.owner) == 1
        except ForeignKeyViolation as error:
            raise LookupError(f"order {execution.client_order_id} was never added") from error
        if is_new:
            self._outbox.add(execution_fill(execution))
        return is_new

    def of_order(self, client_order_id: str) -> tuple[Execution, ...]:
        """Give an order's fills in order of booking."""
        return self._all(_OF_ORDER, client_order_id=client_order_id)

    def of_day(self, trading_day: date) -> tuple[Execution, ...]:
        """Give the day's fills in order of booking."""
        return self._all(_OF_DAY, trading_day=trading_day)

    def all(self) -> tuple[Execution, ...]:
        """Give every fill in order of booking."""
        return self._all(_BOOKED)

    def standing(self, symbol: Symbol | None = None) -> tuple[Execution, ...]:
        """Give the fills since each strategy's holding of each symbol was last flat, in order of booking."""
        if symbol is None:
            return self._all(_STANDING)
        return self._all(_STANDING_OF, symbol=symbol)

    def _all(self, query: Question, **values: Any) -> tuple[Execution, ...]:
        return tuple(execution_of(row) for row in self._scope.rows(query, **values))


def _standing(fills: Select[Any]) -> Question:
    """Make the query of those fills since each holding was last flat; it goes through them once, however many."""
    total = func.sum(SIGNED).over(
        partition_by=(_fill.strategy_id, _fill.symbol), order_by=_fill.sequence
    )
    step = fills.add_columns(total.label("held")).subquery().c
    of = (step.strategy_id, step.symbol)
    flat_at = func.max(step.sequence).filter(step.held == 0).over(partition_by=of)
    columns = [step[column.name] for column in executions.c]
    known = select(*columns, func.coalesce(flat_at, 0).label("flat_at")).subquery().c
    query = select(*(known[column.name] for column in executions.c))
    return asked(query.where(known.sequence > known.flat_at).order_by(known.sequence))


_STANDING: Final = _standing(own(executions))
_STANDING_OF: Final = _standing(own(executions).where(_fill.symbol == bindparam("symbol")))


@lru_cache(READ_AGAIN)
def execution_of(row: Any) -> Execution:
    """Read a row."""
    names = {"symbol": Symbol(row.symbol), "side": Side(row.side)}
    return Execution(**pick(row, Execution) | names | {"source": ExecutionSource(row.source)})
