"""This is the kill switch's row in PostgreSQL; lifted halts stay as history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, ask, asked, columns_of, own, pick
from adapters.postgres.tables import halts
from trading.errors import BadInput
from trading.halts import Halt, TradingState

_IN_FORCE: Final = own(halts).where(halts.c.lifted_at.is_(None))
_OLDEST_FIRST: Final = asked(
    _IN_FORCE.order_by(halts.c.at, halts.c.source, halts.c.strategy_id, halts.c.symbol)
)


class PostgresHalts:
    """Halts of one account. They take no lock of the account's, so that stopping never waits for trading."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put(self, halt: Halt) -> bool:
        """Put a halt in force, in place of the same source's other state; False when it stands already.

        Raises:
            BadInput: for ACTIVE, which is no halt.
        """
        if halt.state is TradingState.ACTIVE:
            raise BadInput("state", halt.state, "REDUCING or HALTED; lift a halt to trade again")
        same = {"source": halt.source, "strategy_id": halt.strategy_id, "symbol": halt.symbol}
        if self._scope.row(_IN_FORCE.filter_by(**same, state=halt.state)):
            return False
        self.lift(**same, reason=halt.reason, at=halt.at)
        added = insert(halts).values(**self._scope.owner, **columns_of(halt))
        return self._scope.changes(added.on_conflict_do_nothing()) == 1

    def lift(
        self, source: str, *, strategy_id: str = "", symbol: str = "", reason: str, at: datetime
    ) -> bool:
        """Lift one; False when there was none."""
        lifted = update(halts).filter_by(
            **self._scope.owner, source=source, strategy_id=strategy_id, symbol=symbol
        )
        lifted = lifted.where(halts.c.lifted_at.is_(None))
        return self._scope.changes(lifted.values(lifted_at=at, lift_reason=reason)) > 0

    def in_force(self) -> tuple[Halt, ...]:
        """Give every halt in force, oldest first."""
        return halts_in_force(self._scope.driver, self._scope.owner)


def halts_in_force(connection: Connection[Any], owner: Mapping[str, str]) -> tuple[Halt, ...]:
    """Give every halt in force of one account, oldest first, as any connection sees it."""
    return tuple(_halt(row) for row in ask(connection, _OLDEST_FIRST, owner))


def _halt(row: Any) -> Halt:
    return Halt(**pick(row, Halt) | {"state": TradingState(row.state)})
