"""This is the verdicts of the risk gate in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from adapters.events import risk_event
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import risk_events
from trading.decisions import Breach, RiskEvent
from trading.instruments import Symbol


class PostgresRiskEvents:
    """Refusals on one account, with the figures that each rule looked at."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox

    def add(self, events: Iterable[RiskEvent]) -> None:
        """Write and tell."""
        for event in events:
            breach = {**columns_of(event.breach), "figures": dict(event.breach.figures)}
            columns = {**columns_of(event, without=("breach",)), **breach, "verdict": "DENIED"}
            self._scope.changes(insert(risk_events).values(**self._scope.owner, **columns))
            self._outbox.add(risk_event(event))

    def of_day(self, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give the day's events, oldest first."""
        query = self._scope.own(risk_events).where(risk_events.c.trading_day == trading_day)
        rows = self._scope.rows(query.order_by(risk_events.c.event_id))
        return tuple(_risk_event(row) for row in rows)


def _risk_event(row: Row[Any]) -> RiskEvent:
    parts = {"symbol": Symbol(row.symbol), "breach": Breach(**pick(row, Breach))}
    return RiskEvent(**pick(row, RiskEvent) | parts)
