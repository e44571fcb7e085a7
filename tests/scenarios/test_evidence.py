"""This is the evidence for a promotion as it is really made, piece after piece, until the gate opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.evidence_files import EvidenceFolder
from tasks.evidence import record_evidence
from tasks.parity import evidence_of
from tasks.promotions import judge, promote
from tasks.rehearsals import rehearse
from tests.desks import Floor
from tests.recordings import examined
from tests.store_samples import AT
from tests.versions import a_file, memory_of
from trading.evidence import Evidence, EvidenceKind
from trading.promotions import RECONCILIATIONS, REHEARSED_WITHIN, Lack

CODE = "c" * 40
UP_AND_DOWN = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]
"""Closes over which a trend is bought and sold again."""


type Lacks = dict[EvidenceKind, Lack]


def lacks(floor: Floor, folder: EvidenceFolder, *, later: timedelta = timedelta()) -> Lacks:
    """Give what the gate misses, by kind."""
    at = floor.desk.now() + later
    gate = judge(floor.stores, channel="dev", commit=CODE, made=folder.of(CODE), at=at)
    return {finding.kind: finding.lack for finding in gate.findings if finding.lack}


async def make(floor: Floor, folder: EvidenceFolder, kind: EvidenceKind) -> None:
    """Let one piece come about as it does."""
    match kind:
        case EvidenceKind.TESTS | EvidenceKind.REPLAY:
            folder.keep(Evidence(kind, CODE, "", AT, is_passed=True))
        case EvidenceKind.RECONCILIATION:
            await floor.open()
            for _ in range(RECONCILIATIONS["dev"]):
                is_clean = (await floor.reconcile()).is_clean
                record_evidence(floor.desk, kind, is_passed=is_clean, figures={})
        case EvidenceKind.PARITY:
            evidence = evidence_of(
                examined(UP_AND_DOWN), channel="dev", commit=CODE, made_at=floor.desk.now()
            )
            assert evidence
            with floor.stores.begin() as work:
                work.evidence.record(evidence)
            floor.night()
        case EvidenceKind.REHEARSAL:
            floor.at("10:00")
            assert (await rehearse(floor.desk)).is_passed


@pytest.fixture
async def tried(floor: Floor, tmp_path: Path) -> EvidenceFolder:
    """Everything, made piece after piece; the gate names exactly what is missing still."""
    floor.desk = replace(floor.desk, commit=CODE)
    folder = EvidenceFolder(tmp_path / "project")
    missing = dict.fromkeys(EvidenceKind, Lack.MISSING)
    for kind in EvidenceKind:
        assert lacks(floor, folder) == missing
        await make(floor, folder, kind)
        del missing[kind]
    return folder


def test_with_the_last_piece_the_code_goes_on(floor: Floor, tried: EvidenceFolder) -> None:
    assert lacks(floor, tried) == {}
    gate = judge(floor.stores, channel="dev", commit=CODE, made=(), at=floor.desk.now())
    paper = memory_of("paper")
    assert not promote(gate, floor.stores, paper, a_file("paper"), reason="ripe", at=AT).waits
    with paper.begin() as work:
        current = work.configs.in_force()
    assert current is not None
    assert current.commit == CODE


def test_days_without_a_decision_are_no_evidence() -> None:
    quiet = examined([10_000] * len(UP_AND_DOWN))
    assert (quiet.is_equal, quiet.decisions) == (True, ())
    assert evidence_of(quiet, channel="dev", commit=CODE, made_at=AT) is None


def test_a_week_after_its_rehearsal_the_gate_is_shut_again(
    floor: Floor, tried: EvidenceFolder
) -> None:
    assert timedelta(days=7) == REHEARSED_WITHIN
    assert lacks(floor, tried, later=REHEARSED_WITHIN) == {}
    moment = timedelta(microseconds=1)
    assert lacks(floor, tried, later=REHEARSED_WITHIN + moment) == {
        EvidenceKind.REHEARSAL: Lack.OLD
    }


async def test_a_difference_in_the_books_shuts_it(floor: Floor, tried: EvidenceFolder) -> None:
    record_evidence(floor.desk, EvidenceKind.RECONCILIATION, is_passed=False, figures={})
    assert lacks(floor, tried) == {EvidenceKind.RECONCILIATION: Lack.FAILED}
