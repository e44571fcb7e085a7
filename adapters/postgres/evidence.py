"""This is the evidence for promotions in PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Row, insert, select

from adapters.postgres.scope import Scope, columns_of, pick
from adapters.postgres.tables import evidence as rows
from trading.evidence import Evidence, EvidenceKind


class PostgresEvidence:
    """What was tried, of every channel: the next channel's promotion asks for it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def record(self, evidence: Evidence) -> None:
        """Write; nothing written is ever changed."""
        figures = {"figures": dict(evidence.figures)}
        self._scope.changes(insert(rows).values(**columns_of(evidence) | figures))

    def latest(self, kind: EvidenceKind, *, channel: str) -> Evidence | None:
        """Give the newest of its kind on a channel, passed or not."""
        return next(iter(self.last(kind, channel=channel, count=1)), None)

    def last(self, kind: EvidenceKind, *, channel: str, count: int) -> tuple[Evidence, ...]:
        """Give the newest `count` of their kind on a channel, newest first."""
        query = select(rows).filter_by(channel=channel, kind=kind)
        newest = query.order_by(rows.c.made_at.desc(), rows.c.evidence_id.desc()).limit(count)
        return tuple(_evidence(row) for row in self._scope.rows(newest))


def _evidence(row: Row[tuple[object, ...]]) -> Evidence:
    columns = pick(row, Evidence)
    return Evidence(**columns | {"kind": EvidenceKind(columns["kind"])})
