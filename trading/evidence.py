"""This is what a change has to show before it may go on: that something was tried, on which commit, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EvidenceKind(StrEnum):
    """What was tried."""

    TESTS = "TESTS"
    """The whole test suite, on a clean tree of the commit."""
    REPLAY = "REPLAY"
    """The replayed scenarios, on a clean tree of the commit."""
    RECONCILIATION = "RECONCILIATION"
    """One reconciliation with the broker; it passed when nothing differed."""
    PARITY = "PARITY"
    """Decisions of the live channel held against those of a replay of the same days."""
    REHEARSAL = "REHEARSAL"
    """The kill switch rehearsed against the broker."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One trial: `commit` is the full hash of the code it ran on, empty where nobody can tell (no clean tree)."""

    kind: EvidenceKind
    commit: str
    channel: str
    made_at: datetime
    is_passed: bool
    figures: Mapping[str, Any] = field(default_factory=dict)
