"""This is the gate between two channels: a commit goes on when everything that it has to show is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from adapters.stores import AuditEntry, Stores, UnitOfWork
from tasks.channels import ChannelSettings
from tasks.versions import PROMOTED, Proposal, propose
from trading.audits import OPERATOR
from trading.errors import BadInput, NotApproved
from trading.evidence import Evidence, EvidenceKind
from trading.promotions import NEXT, Finding, examine, is_open

DEPTH: Final = 200
"""So far back evidence of a kind is looked for."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One channel's way to the next one for a commit, and what was found on it."""

    channel: str
    following: str
    commit: str
    findings: tuple[Finding, ...]

    @property
    def is_open(self) -> bool:
        """Whether nothing is missing."""
        return is_open(self.findings)


def judge(
    stores: Stores, *, channel: str, commit: str, made: Iterable[Evidence], at: datetime
) -> Gate:
    """Hold what was tried against what the next channel asks for; `made` lies outside of the memory as yet.

    Raises:
        BadInput: from live, where no other channel follows, or while nobody can tell which code runs.
    """
    if channel not in NEXT:
        raise BadInput("MAEMAE_CHANNEL", channel, f"one of {', '.join(NEXT)}: promote from there")
    if not commit:
        expected = "a stack that runs committed code: git status, git commit, make up"
        raise BadInput("commit", None, expected)
    with stores.begin() as work:
        for evidence in made:
            _take_over(work, replace(evidence, channel=channel))
        findings = tuple(_examine(work, kind, channel, commit, at) for kind in EvidenceKind)
    return Gate(channel, NEXT[channel], commit, findings)


def promote(
    gate: Gate, ours: Stores, theirs: Stores, file: ChannelSettings, *, reason: str, at: datetime
) -> Proposal:
    """Make the commit and the next channel's `file` a version there; on live it waits for its approval.

    `at` is the time by which the next channel's versions wait.

    Raises:
        NotApproved: when the gate is closed.
        BadInput: without a reason, or when the file is another channel's.
    """
    if not gate.is_open:
        lacking = ", ".join(f.kind.value for f in gate.findings if f.lack)
        raise NotApproved(f"promote ({gate.following})", lacking, "evidence of every kind")
    if file.channel != gate.following:
        raise BadInput("channel", file.channel, gate.following)
    for stores in (theirs, ours):
        with stores.begin() as work:
            work.audit.add(AuditEntry(OPERATOR, PROMOTED, _detail(gate, reason)), at=at)
    return propose(theirs, file, reason=reason, at=at, commit=gate.commit)


def _take_over(work: UnitOfWork, evidence: Evidence) -> None:
    """Write what is not known yet."""
    known = work.evidence.last(evidence.kind, channel=evidence.channel, count=DEPTH)
    if (evidence.made_at, evidence.commit) not in {(e.made_at, e.commit) for e in known}:
        work.evidence.record(evidence)


def _examine(
    work: UnitOfWork, kind: EvidenceKind, channel: str, commit: str, at: datetime
) -> Finding:
    found = work.evidence.last(kind, channel=channel, count=DEPTH)
    return examine(kind, found, commit=commit, channel=channel, at=at)


def _detail(gate: Gate, reason: str) -> dict[str, Any]:
    evidence = [
        {"kind": f.kind.value, "made_at": str(f.made_at), "count": f.count} for f in gate.findings
    ]
    return {
        "from": gate.channel,
        "to": gate.following,
        "commit": gate.commit,
        "reason": reason,
        "evidence": evidence,
    }
