"""This is recording that something was tried on this channel, for the promotion that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.desk import Desk
from trading.evidence import Evidence, EvidenceKind


def record_evidence(
    desk: Desk, kind: EvidenceKind, *, is_passed: bool, figures: Mapping[str, Any]
) -> None:
    """Write how a trial of the running code went, in the market's time."""
    evidence = Evidence(
        kind, desk.commit, desk.channel.channel, desk.now(), is_passed=is_passed, figures=figures
    )
    with desk.stores.begin() as work:
        work.evidence.record(evidence)
