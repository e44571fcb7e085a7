"""This is one numbered version of a channel: settings and code, what was proposed when, whether it is in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from trading.audits import AuditEntry

PROPOSE: Final = "config propose"
APPROVE: Final = "config approve"
"""The audit's words for a version's two steps."""


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A version; `digest` identifies its settings, `approved_at` is None as long as nobody has approved it.

    `commit` is the code that goes with them, "" where nobody can tell.
    """

    version: int
    digest: str
    document: Mapping[str, Any]
    reason: str
    at: datetime
    approved_at: datetime | None = None
    commit: str = ""

    @property
    def snapshot(self) -> tuple[str, str]:
        """What decides how it trades: code and settings."""
        return self.commit, self.digest

    @property
    def is_approved(self) -> bool:
        """Whether it may ever have been in force."""
        return self.approved_at is not None

    @property
    def is_whole(self) -> bool:
        """Whether the document is what the digest was made of."""
        return digest_of(self.document) == self.digest


class Forgery(StrEnum):
    """What of a version does not fit the audit log."""

    DOCUMENT = "document"
    """It is not what its digest was made of."""
    PROPOSAL = "proposal"
    """Nobody has proposed a version of this number with this digest, code and reason."""
    APPROVAL = "approval"
    """It is in force, and nobody has approved this digest."""


@dataclass(frozen=True, slots=True)
class ForgedVersion:
    """The first version that does not fit."""

    version: int
    forgery: Forgery


def digest_of(document: Mapping[str, Any]) -> str:
    """Hash settings as they are stored: SHA-256 as 64 hex digits, whatever the order of their names."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


type TimedAct = tuple[datetime, AuditEntry]


def first_forged(
    versions: Iterable[ConfigVersion], acts: Iterable[TimedAct]
) -> ForgedVersion | None:
    """Hold versions against the acts that made them (`PROPOSE`, `APPROVE`); give the first that does not fit.

    Versions before the first one that was audited are from before the log knew of them: only their digest counts.
    """
    acts = tuple(acts)
    for config in sorted(versions, key=lambda config: config.version):
        if forgery := _forgery_of(config, acts):
            return ForgedVersion(config.version, forgery)
    return None


def _forgery_of(config: ConfigVersion, acts: tuple[TimedAct, ...]) -> Forgery | None:
    if not config.is_whole:
        return Forgery.DOCUMENT
    proposed = _by_version(acts, PROPOSE)
    if config.version < min(proposed, default=config.version + 1):
        return None
    written = {"digest": config.digest, "commit": config.commit, "reason": config.reason}
    if not _says(proposed.get(config.version), config.at, written):
        return Forgery.PROPOSAL
    approval, written = _by_version(acts, APPROVE).get(config.version), {"digest": config.digest}
    if config.approved_at and not _says(approval, config.approved_at, written):
        return Forgery.APPROVAL
    return None


def _by_version(acts: Iterable[TimedAct], action: str) -> dict[int, TimedAct]:
    found = ((act.detail.get("version"), at, act) for at, act in acts if act.action == action)
    return {version: (at, act) for version, at, act in found if isinstance(version, int)}


def _says(act: TimedAct | None, at: datetime, written: Mapping[str, str]) -> bool:
    """Tell whether an act was then and agrees in all that it has: early ones name no code."""
    if act is None:
        return False
    then, entry = act
    return then == at and all(entry.detail.get(n, value) == value for n, value in written.items())
