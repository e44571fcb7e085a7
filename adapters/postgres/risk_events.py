"""This is the verdicts of the risk gate in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row

from adapters.events import risk_event
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, columns_of, own, pick
from adapters.postgres.tables import risk_events
from trading.decisions import Breach, RiskEvent, Verdict
from trading.instruments import Symbol


class PostgresRiskEvents:
    """Verdicts on one account, with the figures that each rule looked at."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox

    def add(self, events: Iterable[RiskEvent]) -> None:
        """Write, and tell of the refusals."""
        for event in events:
            self._scope.keep(risk_events, _columns(event))
            if event.verdict is Verdict.DENIED:
                self._outbox.add(risk_event(event))

    def of_day(self, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give the day's refusals, oldest first."""
        return self._read(
            risk_events.c.trading_day == trading_day, risk_events.c.verdict == Verdict.DENIED
        )

    def of_order(self, client_order_id: str, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give every rule's verdict about an order of that day, in the order in which they were asked."""
        return self._read(
            risk_events.c.trading_day == trading_day,
            risk_events.c.client_order_id == client_order_id,
        )

    def _read(self, *conditions: ColumnElement[bool]) -> tuple[RiskEvent, ...]:
        self._scope.write()
        query = own(risk_events).where(*conditions)
        rows = self._scope.rows(query.order_by(risk_events.c.event_id))
        return tuple(_risk_event(row) for row in rows)


def _columns(event: RiskEvent) -> dict[str, Any]:
    breach = {**columns_of(event.breach), "figures": dict(event.breach.figures)}
    return {**columns_of(event, without=("breach",)), **breach}


def _risk_event(row: Row[Any]) -> RiskEvent:
    parts = {
        "symbol": Symbol(row.symbol),
        "breach": Breach(**pick(row, Breach)),
        "verdict": Verdict(row.verdict),
    }
    return RiskEvent(**pick(row, RiskEvent) | parts)
