"""This is what a commit has to show on its channel before the next channel may have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, Final

from trading.evidence import Evidence, EvidenceKind

NEXT: Final[Mapping[str, str]] = {"dev": "paper", "paper": "live"}
"""Where a commit may go from a channel."""
RECONCILIATIONS: Final[Mapping[str, int]] = {"dev": 3, "paper": 15}
"""So many of a channel's last reconciliations have to be clean: a day's, and a week's."""
REHEARSED_WITHIN: Final = timedelta(days=7)
COMMANDS: Final[Mapping[EvidenceKind, str]] = {
    EvidenceKind.TESTS: "make test",
    EvidenceKind.REPLAY: "make test ARGS=tests/scenarios",
    EvidenceKind.RECONCILIATION: "prefect deployment run reconcile-fills",
    EvidenceKind.PARITY: "maemae parity",
    EvidenceKind.REHEARSAL: "maemae halt --rehearse",
}
"""What makes the evidence that is missing."""


class Lack(StrEnum):
    """Why evidence does not do."""

    MISSING = "missing"
    OTHER_COMMIT = "other_commit"
    """There is some, of other code."""
    FAILED = "failed"
    OLD = "old"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one kind of evidence comes to: how many good ones in a row, how many it takes, what lacks."""

    kind: EvidenceKind
    count: int
    needed: int
    made_at: datetime | None
    lack: Lack | None

    def row(self) -> dict[str, Any]:
        """Tell it as a row, with the command that makes what is missing."""
        return {
            "evidence": self.kind.value,
            "count": self.count,
            "needed": self.needed,
            "made_at": self.made_at,
            "lack": self.lack.value if self.lack else None,
            "command": COMMANDS[self.kind] if self.lack else "",
        }


def needed(kind: EvidenceKind, channel: str) -> int:
    """Give how many good ones in a row a promotion from a channel takes."""
    return RECONCILIATIONS[channel] if kind is EvidenceKind.RECONCILIATION else 1


def examine(
    kind: EvidenceKind, found: Sequence[Evidence], *, commit: str, channel: str, at: datetime
) -> Finding:
    """Judge one kind of evidence of a channel, `found` newest first: only this very commit's counts."""
    own = [evidence for evidence in found if evidence.commit == commit]
    good = list(takewhile(lambda evidence: evidence.is_passed, own))
    enough = needed(kind, channel)
    newest = own[0].made_at if own else None
    return Finding(kind, len(good), enough, newest, _lack(kind, found, own, good[:enough], at))


def is_open(findings: Iterable[Finding]) -> bool:
    """Tell whether nothing is missing."""
    return all(finding.lack is None for finding in findings)


def _lack(
    kind: EvidenceKind,
    found: Sequence[Evidence],
    own: Sequence[Evidence],
    good: Sequence[Evidence],
    at: datetime,
) -> Lack | None:
    if not own:
        return Lack.OTHER_COMMIT if found else Lack.MISSING
    if not good:
        return Lack.FAILED
    if kind is EvidenceKind.REHEARSAL and at - good[0].made_at > REHEARSED_WITHIN:
        return Lack.OLD
    return None if len(good) >= needed(kind, own[0].channel) else Lack.TOO_FEW
