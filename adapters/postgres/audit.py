"""This is the record of what operators and automatons did, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
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
        return tuple(_entry(row) for row in self._scope.rows(query))

    def latest(self, action: str, *, actor: str = "") -> tuple[datetime, AuditEntry] | None:
        """Give the newest entry of one action, of any actor unless one is named."""
        query = self._scope.own(audit).filter_by(
            action=action, **({"actor": actor} if actor else {})
        )
        row = self._scope.row(query.order_by(audit.c.audit_id.desc()).limit(1))
        return _entry(row) if row else None


def _entry(row: Row[Any]) -> tuple[datetime, AuditEntry]:
    return row.at, AuditEntry(**pick(row, AuditEntry))
