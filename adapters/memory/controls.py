"""This is halts, equity points, settings, evidence and audit in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from adapters.memory.tables import Log, Table
from trading.audits import BEGINNING, AuditEntry, AuditRow
from trading.configs import ConfigVersion
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.evidence import Evidence, EvidenceKind
from trading.halts import Halt, TradingState


class MemoryHalts:
    """The kill switch's row."""

    def __init__(self) -> None:
        self.rows: Table[tuple[str, str, str], Halt] = Table()

    def put(self, halt: Halt) -> bool:
        """Put a halt in force, in place of the same source's other state; False when it stands already.

        Raises:
            BadInput: for ACTIVE, which is no halt.
        """
        if halt.state is TradingState.ACTIVE:
            raise BadInput("state", halt.state, "REDUCING or HALTED; lift a halt to trade again")
        key = (halt.source, halt.strategy_id, halt.symbol)
        known = self.rows.get(key)
        if known and known.state is halt.state:
            return False
        self.rows.put(key, halt)
        return True

    def lift(
        self,
        source: str,
        *,
        strategy_id: str = "",
        symbol: str = "",
        reason: str,  # noqa: ARG002 - kept in the database only
        at: datetime,  # noqa: ARG002 - kept in the database only
    ) -> bool:
        """Lift one; False when there was none."""
        key = (source, strategy_id, symbol)
        is_known = key in self.rows
        self.rows.drop(key)
        return is_known

    def in_force(self) -> tuple[Halt, ...]:
        """Give every halt in force, oldest first."""
        return tuple(sorted(self.rows, key=_age))


def _age(halt: Halt) -> tuple[datetime, str, str, str]:
    return halt.at, halt.source, halt.strategy_id, halt.symbol


class MemoryEquity:
    """One point of the equity curve per trading day."""

    def __init__(self) -> None:
        self.rows: Table[date, EquityPoint] = Table()

    def put(self, point: EquityPoint) -> None:
        """Write or replace the day's point; an opening once written is kept."""
        known = self.get(point.trading_day)
        kept = replace(point, opening=known.opening) if known else point
        self.rows.put(point.trading_day, kept)

    def get(self, trading_day: date) -> EquityPoint | None:
        """Give one day."""
        return self.rows.get(trading_day)

    def all(self) -> tuple[EquityPoint, ...]:
        """Give the curve, oldest first."""
        return tuple(sorted(self.rows, key=lambda point: point.trading_day))


class MemoryConfigs:
    """Numbered versions of the channel's settings."""

    def __init__(self) -> None:
        self.rows: Table[int, ConfigVersion] = Table()

    def propose(
        self,
        document: Mapping[str, Any],
        *,
        digest: str,
        commit: str = "",
        reason: str = "",
        at: datetime,
    ) -> ConfigVersion | None:
        """Write a version that waits for its approval; None when the newest has digest and commit already."""
        newest = self.newest()
        if newest and newest.snapshot == (commit, digest):
            return None
        number = len(self.rows) + 1
        proposed = ConfigVersion(number, digest, as_json(document), reason, at, commit=commit)
        self.rows.put(number, proposed)
        return proposed

    def approve(self, version: int, *, at: datetime) -> bool:
        """Put a version in force; False when there is none of that number that waits for it."""
        row = self.rows.get(version)
        if row is None or row.is_approved:
            return False
        self.rows.put(version, replace(row, approved_at=at))
        return True

    def in_force(self) -> ConfigVersion | None:
        """Give the newest approved version."""
        return next((row for row in reversed(self.all()) if row.is_approved), None)

    def newest(self) -> ConfigVersion | None:
        """Give the newest version, approved or not."""
        return self.rows.get(len(self.rows))

    def get(self, version: int) -> ConfigVersion | None:
        """Give one."""
        return self.rows.get(version)

    def all(self) -> tuple[ConfigVersion, ...]:
        """Give every version, oldest first."""
        return tuple(self.rows)


class MemoryEvidence:
    """What was tried, of every channel."""

    def __init__(self) -> None:
        self.rows: Log[Evidence] = Log()

    def record(self, evidence: Evidence) -> None:
        """Write."""
        self.rows.append(replace(evidence, figures=as_json(evidence.figures)))

    def latest(self, kind: EvidenceKind, *, channel: str) -> Evidence | None:
        """Give the newest of its kind on a channel, passed or not."""
        return next(iter(self.last(kind, channel=channel, count=1)), None)

    def last(self, kind: EvidenceKind, *, channel: str, count: int) -> tuple[Evidence, ...]:
        """Give the newest `count` of their kind on a channel, newest first."""
        own = [row for row in self.rows if (row.kind, row.channel) == (kind, channel)]
        return tuple(sorted(own, key=lambda row: row.made_at)[::-1][:count])


class MemoryAudit:
    """What operators and automatons did, as a chain of hashes."""

    def __init__(self, channel: str, account: str) -> None:
        self._owner = {"channel": channel, "account": account}
        self.rows: Log[AuditRow] = Log()

    def add(self, entry: AuditEntry, *, at: datetime) -> None:
        """Write one entry, chained to the newest one."""
        detail = json.dumps(dict(entry.detail), ensure_ascii=False)
        newest = self.rows.get(len(self.rows))
        row = AuditRow(
            **self._owner,
            number=len(self.rows) + 1,
            at=at,
            actor=entry.actor,
            action=entry.action,
            detail=detail,
        )
        self.rows.append(row.sealed(newest.digest if newest else BEGINNING))

    def last(self, *, count: int = 100) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give the newest entries, newest first."""
        return tuple((row.at, row.entry) for row in tuple(self.rows)[::-1][:count])

    def latest(self, action: str, *, actor: str = "") -> tuple[datetime, AuditEntry] | None:
        """Give the newest entry of one action, of any actor unless one is named."""
        for row in reversed(tuple(self.rows)):
            if row.action == action and actor in {"", row.actor}:
                return row.at, row.entry
        return None

    def of(self, *actions: str) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give every entry of these actions, oldest first."""
        return tuple((row.at, row.entry) for row in self.rows if row.action in actions)

    def chain(self) -> tuple[AuditRow, ...]:
        """Give every row in the order of its number, as it is stored."""
        return tuple(self.rows)


def as_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """Copy as a database would give it back; what JSON does not know is refused at once."""
    copy: dict[str, Any] = json.loads(json.dumps(dict(document)))
    return copy
