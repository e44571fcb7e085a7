"""This is how code goes from channel to channel: past a gate that asks for evidence, into a numbered version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.stores import MemoryStores
from adapters.stores import AuditEntry
from tasks.promotions import Gate, judge, promote
from tasks.versions import PROMOTED, approve, open_version, propose
from tests.builders import ACCOUNT
from tests.store_samples import AT
from tests.versions import DELAY, a_file, memory_of
from trading.errors import BadInput, NotApproved
from trading.evidence import Evidence, EvidenceKind

OLD, NEW = "a" * 40, "b" * 40


def everything(
    channel: str, *, commit: str = NEW, without: EvidenceKind | None = None
) -> list[Evidence]:
    return [
        Evidence(kind, commit, channel, AT + timedelta(minutes=n), is_passed=True)
        for kind in EvidenceKind
        if kind is not without
        for n in range(15)
    ]


def stores_with(evidence: Iterable[Evidence], channel: str) -> MemoryStores:
    stores = memory_of(channel)
    with stores.begin() as work:
        for one in evidence:
            work.evidence.record(one)
    return stores


def gate_of(stores: MemoryStores, channel: str, *made: Evidence) -> Gate:
    return judge(stores, channel=channel, commit=NEW, made=made, at=AT + timedelta(hours=1))


@pytest.fixture
def live() -> MemoryStores:
    """A live channel that trades with the old code."""
    stores = memory_of("live")
    with pytest.raises(NotApproved):
        open_version(stores, a_file("live"), at=AT - DELAY)
    approve(stores, 1, reason="begin", at=AT, delay=DELAY)
    with stores.begin() as work:
        work.audit.add(AuditEntry("operator", PROMOTED, {"commit": OLD}), at=AT - DELAY)
    assert propose(stores, a_file("live"), reason="ripe", at=AT - DELAY, commit=OLD).waits
    approve(stores, 2, reason="yes", at=AT, delay=DELAY)
    return stores


def test_what_has_everything_becomes_the_next_channels_version() -> None:
    dev, paper = stores_with(everything("dev"), "dev"), memory_of("paper")
    gate = gate_of(dev, "dev")
    assert gate.is_open
    proposal = promote(gate, dev, paper, a_file("paper"), reason="ripe", at=AT)
    assert not proposal.waits
    with paper.begin() as work:
        current = work.configs.in_force()
        assert current is not None
        assert current.snapshot == (NEW, a_file("paper").digest)
    for stores in (dev, paper):
        with stores.begin() as work:
            found = work.audit.latest("promote")
            assert found is not None
            assert (found[1].detail["to"], found[1].detail["commit"]) == ("paper", NEW)


@pytest.mark.parametrize("kind", EvidenceKind)
@pytest.mark.parametrize(("channel", "following"), [("dev", "paper"), ("paper", "live")])
def test_a_missing_piece_closes_the_gate(kind: EvidenceKind, channel: str, following: str) -> None:
    ours, theirs = stores_with(everything(channel, without=kind), channel), memory_of(following)
    gate = gate_of(ours, channel)
    assert [finding.kind for finding in gate.findings if finding.lack] == [kind]
    with pytest.raises(NotApproved, match=kind.value):
        promote(gate, ours, theirs, a_file(following), reason="hurry", at=AT)
    with theirs.begin() as work:
        assert work.configs.newest() is None
        assert work.audit.chain() == ()


def test_evidence_of_another_channel_does_not_count() -> None:
    stores = stores_with(everything("dev"), "paper")
    assert all(finding.lack for finding in gate_of(stores, "paper").findings)


def test_evidence_of_a_test_run_is_taken_over_once() -> None:
    stores = stores_with(everything("dev", without=EvidenceKind.TESTS), "dev")
    made = Evidence(EvidenceKind.TESTS, NEW, "", AT, is_passed=True, figures={"passed": 3})
    assert not gate_of(stores, "dev").is_open
    assert gate_of(stores, "dev", made).is_open
    assert gate_of(stores, "dev", made).is_open
    with stores.begin() as work:
        assert work.evidence.last(EvidenceKind.TESTS, channel="dev", count=9) == (
            replace(made, channel="dev"),
        )


@pytest.mark.parametrize("commit", ["", NEW])
def test_nothing_is_promoted_from_live_or_with_unknown_code(commit: str) -> None:
    channel = "dev" if not commit else "live"
    with pytest.raises(BadInput):
        judge(memory_of(channel), channel=channel, commit=commit, made=(), at=AT)


def test_new_code_waits_on_live_even_when_no_setting_loosens(live: MemoryStores) -> None:
    paper = stores_with(everything("paper"), "paper")
    gate = gate_of(paper, "paper")
    proposal = promote(gate, paper, live, a_file("live"), reason="ripe", at=AT)
    assert proposal.waits
    assert proposal.changes == ()
    with pytest.raises(BadInput, match="waited 10 minutes"):
        approve(live, 3, reason="yes", at=AT, delay=DELAY)
    with pytest.raises(NotApproved, match="maemae promote"):
        open_version(live, a_file("live"), at=AT, commit=NEW)
    approve(live, 3, reason="yes", at=AT + DELAY, delay=DELAY)
    for commit in (OLD, NEW):
        assert open_version(live, a_file("live"), at=AT, commit=commit).version == 3


def test_code_that_was_not_promoted_is_not_approved_on_live(live: MemoryStores) -> None:
    assert propose(live, a_file("live"), reason="by hand", at=AT, commit=NEW).waits
    with pytest.raises(BadInput, match="maemae promote"):
        approve(live, 3, reason="yes", at=AT + DELAY, delay=DELAY)


def test_real_money_needs_code_that_can_be_named() -> None:
    stores = memory_of("live")
    with pytest.raises(NotApproved):
        open_version(stores, a_file("live"), at=AT)
    with pytest.raises(BadInput, match="commit"):
        approve(stores, 1, reason="go", at=AT + DELAY, delay=DELAY, needs_code=True)


@pytest.mark.parametrize("commit", ["", NEW])
def test_unknown_code_does_not_trade_on_live(live: MemoryStores, commit: str) -> None:
    with pytest.raises(NotApproved):
        open_version(live, a_file("live"), at=AT, commit=commit)


def test_the_first_start_of_other_code_is_a_version_on_paper() -> None:
    stores, file = MemoryStores(channel="paper", account=ACCOUNT), a_file("paper")
    edited = a_file("paper", maximum_holdings=2)
    started = [(file, OLD), (file, OLD), (edited, NEW), (file, ""), (file, OLD)]
    versions = [open_version(stores, f, at=AT, commit=commit).version for f, commit in started]
    assert versions == [1, 1, 2, 2, 3]
    with stores.begin() as work:
        assert [config.snapshot for config in work.configs.all()] == [
            (commit, file.digest) for commit in (OLD, NEW, OLD)
        ]
