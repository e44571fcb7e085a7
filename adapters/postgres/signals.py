"""This is what strategies said, in PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from psycopg.types.json import Jsonb
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from adapters.events import signal_out
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, adding, columns_of, own, pick
from adapters.postgres.tables import signals
from trading.instruments import Symbol
from trading.signals import Direction, Signal

_ADD: Final = adding(insert(signals).on_conflict_do_nothing())


class PostgresSignals:
    """Signals of one account."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox

    def add(self, signal: Signal) -> bool:
        """Write and tell; the same signal again changes nothing and gives False."""
        columns = {**columns_of(signal), "indicators": Jsonb(dict(signal.indicators))}
        named = {**self._scope.owner, "signal_id": signal.signal_id, **columns}
        is_new = self._scope.changes(_ADD, named) == 1
        if is_new:
            self._outbox.add(signal_out(signal))
        return is_new

    def get(self, signal_id: str) -> Signal | None:
        """Give one."""
        row = self._scope.row(own(signals).where(signals.c.signal_id == signal_id))
        return _signal(row) if row else None

    def of_day(self, trading_day: date) -> tuple[Signal, ...]:
        """Give the day's signals in order of creation."""
        query = own(signals).where(signals.c.trading_day == trading_day)
        return tuple(_signal(row) for row in self._scope.rows(query.order_by(signals.c.sequence)))


def _signal(row: Row[Any]) -> Signal:
    names = {"symbol": Symbol(row.symbol), "direction": Direction(row.direction)}
    return Signal(**pick(row, Signal) | names)
