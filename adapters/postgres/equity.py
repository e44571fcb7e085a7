"""This is the equity curve in PostgreSQL."""

from __future__ import annotations

from datetime import date

from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, columns_of, own, pick
from adapters.postgres.tables import equity_points
from trading.equity import EquityPoint


class PostgresEquity:
    """One point per trading day of one account."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put(self, point: EquityPoint) -> None:
        """Write or replace the day's point; an opening once written is kept."""
        columns = equity_points.c
        added = insert(equity_points).values(**self._scope.owner, **columns_of(point))
        latest = {"closing": point.closing, "paid_in": point.paid_in}
        key = [columns.channel, columns.account, columns.trading_day]
        self._scope.changes(added.on_conflict_do_update(index_elements=key, set_=latest))

    def get(self, trading_day: date) -> EquityPoint | None:
        """Give one day."""
        query = own(equity_points)
        row = self._scope.row(query.where(equity_points.c.trading_day == trading_day))
        return EquityPoint(**pick(row, EquityPoint)) if row else None

    def all(self) -> tuple[EquityPoint, ...]:
        """Give the curve, oldest first."""
        query = own(equity_points).order_by(equity_points.c.trading_day)
        return tuple(EquityPoint(**pick(row, EquityPoint)) for row in self._scope.rows(query))
