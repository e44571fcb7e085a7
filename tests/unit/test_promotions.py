"""This is what a promotion counts as evidence, each condition one step before, at and after its boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.store_samples import AT
from trading.evidence import Evidence, EvidenceKind
from trading.promotions import COMMANDS, REHEARSED_WITHIN, Lack, examine, is_open

COMMIT, OTHER = "a" * 40, "b" * 40
MOMENT = timedelta(microseconds=1)


def tried(kind: EvidenceKind, **changes: Any) -> Evidence:
    return replace(Evidence(kind, COMMIT, "dev", AT, is_passed=True), **changes)


def lack_of(*found: Evidence, kind: EvidenceKind = EvidenceKind.TESTS) -> Lack | None:
    return examine(kind, found, commit=COMMIT, channel="dev", at=AT).lack


@pytest.mark.parametrize("kind", EvidenceKind)
def test_without_evidence_every_kind_is_named_with_what_makes_it(kind: EvidenceKind) -> None:
    finding = examine(kind, (), commit=COMMIT, channel="dev", at=AT)
    assert finding.lack is Lack.MISSING
    assert finding.row()["command"] == COMMANDS[kind]
    assert not is_open([finding])


@pytest.mark.parametrize("kind", EvidenceKind)
def test_evidence_of_other_code_does_not_count(kind: EvidenceKind) -> None:
    foreign = [tried(kind, commit=OTHER)] * 20
    assert lack_of(*foreign, kind=kind) is Lack.OTHER_COMMIT
    assert lack_of(*[tried(kind)] * 3, *foreign, kind=kind) is None
    assert lack_of(*foreign, *[tried(kind)] * 3, kind=kind) is None


@pytest.mark.parametrize("kind", EvidenceKind)
def test_the_newest_evidence_counts(kind: EvidenceKind) -> None:
    failed = tried(kind, is_passed=False)
    assert lack_of(failed, *[tried(kind)] * 20, kind=kind) is Lack.FAILED


@pytest.mark.parametrize(("channel", "enough"), [("dev", 3), ("paper", 15)])
def test_a_difference_begins_the_count_of_reconciliations_anew(channel: str, enough: int) -> None:
    kind = EvidenceKind.RECONCILIATION
    clean = tried(kind, channel=channel)
    older = [replace(clean, is_passed=False), *[clean] * 20]
    for count, lack in ((enough - 1, Lack.TOO_FEW), (enough, None), (enough + 1, None)):
        found = [*[clean] * count, *older]
        finding = examine(kind, found, commit=COMMIT, channel=channel, at=AT)
        assert (finding.lack, finding.count, finding.needed) == (lack, count, enough)


@pytest.mark.parametrize(
    ("age", "lack"),
    [
        (REHEARSED_WITHIN - MOMENT, None),
        (REHEARSED_WITHIN, None),
        (REHEARSED_WITHIN + MOMENT, Lack.OLD),
    ],
)
def test_a_rehearsal_is_at_most_seven_days_old(age: timedelta, lack: Lack | None) -> None:
    assert timedelta(days=7) == REHEARSED_WITHIN
    kind = EvidenceKind.REHEARSAL
    assert lack_of(tried(kind, made_at=AT - age), kind=kind) is lack
    assert lack_of(tried(EvidenceKind.PARITY, made_at=AT - age), kind=EvidenceKind.PARITY) is None
