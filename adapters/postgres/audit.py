"""This is the record of what operators and automatons did, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import audit
from adapters.stores import AuditEntry


class PostgresAudit:
    """Acts on one account; only ever added to."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, entry: AuditEntry, *, at: datetime) -> None:
        """Write one entry."""
        columns = {**columns_of(entry), "detail": dict(entry.detail), "at": at}
        self._scope.changes(insert(audit).values(**self._scope.owner, **columns))

    def last(self, *, count: int = 100) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give the newest entries, newest first."""
        query = self._scope.own(audit).order_by(audit.c.audit_id.desc()).limit(count)
        return tuple(
            (row.at, AuditEntry(**pick(row, AuditEntry))) for row in self._scope.rows(query)
        )
