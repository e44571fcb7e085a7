"""This is the verdicts of the risk gate in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, text

from adapters.events import risk_event
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import risk_events
from trading.decisions import Breach, RiskEvent, Verdict
from trading.instruments import Symbol

_COLUMNS: Final = ", ".join(c.name for c in risk_events.c if c.name != "event_id")
_ADD: Final = text(
    f"INSERT INTO risk_events ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608 - our own column names
    " FROM jsonb_populate_recordset(CAST(NULL AS risk_events), CAST(:rows AS jsonb))"
)
"""One statement that is the same for any number of rows, because one with all of them in it takes longer to make than
to do. Not one for each in a pipeline, either: after such a batch PostgreSQL does not end a transaction that idles."""


class PostgresRiskEvents:
    """Verdicts on one account, with the figures that each rule looked at."""

    def __init__(self, scope: Scope, outbox: PostgresOutbox) -> None:
        self._scope, self._outbox = scope, outbox

    def add(self, events: Iterable[RiskEvent]) -> None:
        """Write in one statement, and tell of the refusals."""
        written = tuple(events)
        if written:
            rows = [{**self._scope.owner, **_columns(event)} for event in written]
            self._scope.changes(_ADD, {"rows": json.dumps(rows, default=str)})
        for event in written:
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
        query = self._scope.own(risk_events).where(*conditions)
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
