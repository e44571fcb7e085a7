"""This is what maemae asks of its memory about changes: versions of settings, evidence for them, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from trading.audits import AuditEntry, AuditRow
from trading.configs import ConfigVersion
from trading.evidence import Evidence, EvidenceKind


class ConfigStore(Protocol):
    """Numbered versions of the channel's settings; none is ever changed but by its approval."""

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
        ...

    def approve(self, version: int, *, at: datetime) -> bool:
        """Put a version in force; False when there is none of that number that waits for it."""
        ...

    def in_force(self) -> ConfigVersion | None:
        """Give the newest approved version."""
        ...

    def newest(self) -> ConfigVersion | None:
        """Give the newest version, approved or not."""
        ...

    def get(self, version: int) -> ConfigVersion | None:
        """Give one."""
        ...

    def all(self) -> tuple[ConfigVersion, ...]:
        """Give every version, oldest first."""
        ...


class EvidenceStore(Protocol):
    """What was tried, of every channel of this memory; nothing of it is ever changed."""

    def record(self, evidence: Evidence) -> None:
        """Write."""
        ...

    def latest(self, kind: EvidenceKind, *, channel: str) -> Evidence | None:
        """Give the newest of its kind on a channel, passed or not."""
        ...

    def last(self, kind: EvidenceKind, *, channel: str, count: int) -> tuple[Evidence, ...]:
        """Give the newest `count` of their kind on a channel, newest first."""
        ...


class AuditLog(Protocol):
    """What operators and automatons did, in a chain of hashes; nothing of it is ever changed."""

    def add(self, entry: AuditEntry, *, at: datetime) -> None:
        """Write one entry, chained to the newest one when the unit of work ends."""
        ...

    def last(self, *, count: int = 100) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give the newest entries, newest first."""
        ...

    def latest(self, action: str, *, actor: str = "") -> tuple[datetime, AuditEntry] | None:
        """Give the newest entry of one action, of any actor unless one is named."""
        ...

    def of(self, *actions: str) -> tuple[tuple[datetime, AuditEntry], ...]:
        """Give every entry of these actions, oldest first."""
        ...

    def chain(self) -> tuple[AuditRow, ...]:
        """Give every row in the order of its number, as it is stored."""
        ...
