"""This is the record of what operators and automatons did, in PostgreSQL, as a chain of hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Text, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from adapters.postgres.scope import Scope, lock_key, own, pick
from adapters.postgres.tables import audit
from trading.audits import BEGINNING, WAITED, AuditEntry, AuditRow


class PostgresAudit:
    """Acts on one account; only ever added to.

    What is added is chained when the unit of work ends: the chain's lock is the last that it takes and held for a
    moment only, so that a halt waits neither for the account's lock nor in a circle. What waits on disk since no
    database could take it comes before.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._waiting: list[tuple[AuditEntry, datetime]] = []
        scope.before_commit = self._chain

    def add(self, entry: AuditEntry, *, at: datetime) -> None:
        """Keep one entry for the end of the unit of work."""
        self._waiting.append((entry, at))

    def last(self, *, count: int = 100) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give the newest entries, newest first."""
        return tuple(_entry(row) for row in self._scope.rows(self._newest_first().limit(count)))

    def latest(self, action: str, *, actor: str = "") -> tuple[datetime, AuditEntry] | None:
        """Give the newest entry of one action, of any actor unless one is named."""
        wanted = {"action": action, **({"actor": actor} if actor else {})}
        row = self._scope.row(self._newest_first().filter_by(**wanted).limit(1))
        return _entry(row) if row else None

    def of(self, *actions: str) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give every entry of these actions, oldest first."""
        self._chain()
        wanted = own(audit).where(audit.c.action.in_(actions))
        rows = self._scope.rows(wanted.order_by(audit.c.number))
        return tuple(_entry(row) for row in rows)

    def chain(self) -> tuple[AuditRow, ...]:
        """Give every row in the order of its number, with its detail letter by letter."""
        self._chain()
        texts = [cast(c, Text).label(c.name) if c.name == "detail" else c for c in audit.c]
        query = select(*texts).filter_by(**self._scope.owner).order_by(audit.c.number)
        return tuple(AuditRow(**pick(row, AuditRow)) for row in self._scope.rows(query))

    def _newest_first(self) -> Select[Any]:
        self._chain()
        return own(audit).order_by(audit.c.number.desc())

    def _chain(self) -> None:
        """Write what waits, each row behind the newest one."""
        if not self._waiting:
            return
        key = lock_key("audit", self._scope.channel, self._scope.account)
        self._scope.row(select(func.pg_advisory_xact_lock(key)))
        self._waiting[:0] = self._late()
        newest = self._scope.row(own(audit).order_by(audit.c.number.desc()).limit(1))
        number, before = (newest.number, newest.digest) if newest else (0, BEGINNING)
        while self._waiting:
            entry, at = self._waiting.pop(0)
            number += 1
            row = self._row(entry, at, number).sealed(before)
            self._write(row, entry)
            before = row.digest
            self._scope.newest_act = row.mark

    def _late(self) -> list[tuple[AuditEntry, datetime]]:
        """Give what no database could take before now; the log may know some of it from a unit of work that was cut off."""
        acts = self._scope.waiting.all() if self._scope.waiting else ()
        late = [act for act in acts if act.name not in self._scope.taken_in]
        if not late:
            return []
        name = audit.c.detail[WAITED].astext
        found = select(name).filter_by(**self._scope.owner)
        known = {row[0] for row in self._scope.rows(found.where(name.is_not(None)))}
        self._scope.taken_in += [act.name for act in late]
        return [(act.entry, act.at) for act in late if act.name not in known]

    def _row(self, entry: AuditEntry, at: datetime, number: int) -> AuditRow:
        return AuditRow(
            **self._scope.owner,
            number=number,
            at=at,
            actor=entry.actor,
            action=entry.action,
            detail=self._as_stored(entry),
        )

    def _as_stored(self, entry: AuditEntry) -> str:
        """Ask how the database will write the detail: no two databases order keys alike."""
        row = self._scope.row(select(cast(cast(dict(entry.detail), JSONB), Text)))
        return str(row[0]) if row else ""

    def _write(self, row: AuditRow, entry: AuditEntry) -> None:
        columns = {"number": row.number, "at": row.at, "before": row.before, "digest": row.digest}
        act = {"actor": row.actor, "action": row.action, "detail": dict(entry.detail)}
        self._scope.changes(insert(audit).values(**self._scope.owner, **columns, **act))


def _entry(row: Row[Any]) -> tuple[datetime, AuditEntry]:
    return row.at, AuditEntry(**pick(row, AuditEntry))
