"""This is the way back: the snapshot before, its code with it, and on live no looser setting without a wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.memory.stores import MemoryStores
from tasks.returns import begin_return, code_before, end_return
from tasks.versions import approve, open_version, propose
from tests.store_samples import AT
from tests.versions import DELAY, a_file, memory_of
from trading.errors import BadInput

OLD, NEW = "a" * 40, "b" * 40
FEW, MANY = {"maximum_holdings": 2}, {"maximum_holdings": 4}


def snapshot_of(stores: MemoryStores) -> tuple[str, str]:
    with stores.begin() as work:
        current = work.configs.in_force()
        assert current is not None
        return current.snapshot


@pytest.fixture
def paper() -> MemoryStores:
    """A paper channel that has had other settings since, and then other code."""
    stores = memory_of("paper")
    open_version(stores, a_file("paper", **FEW), at=AT, commit=OLD)
    propose(stores, a_file("paper", **MANY), reason="more", at=AT)
    open_version(stores, a_file("paper"), at=AT, commit=NEW)
    return stores


def test_code_and_settings_return_together(paper: MemoryStores) -> None:
    assert code_before(paper) == OLD
    done = begin_return(paper, reason="worse", at=AT)
    assert (done.commit, done.proposal.waits) == (OLD, False)
    assert snapshot_of(paper) == (OLD, a_file("paper", **MANY).digest)
    end_return(paper, done, at=AT)
    with paper.begin() as work:
        acts = [row.action for row in work.audit.chain()][-4:]
    assert acts == ["config propose", "config approve", "rollback", "rolled back"]


def test_a_return_that_was_cut_off_goes_on(paper: MemoryStores) -> None:
    first = begin_return(paper, reason="worse", at=AT)
    again = begin_return(paper, reason="worse", at=AT)
    assert first.proposal.config
    assert again.proposal.config
    assert again.proposal.config.version == first.proposal.config.version
    assert again.commit == OLD
    assert code_before(paper) == OLD
    end_return(paper, again, at=AT)
    assert begin_return(paper, reason="worse", at=AT).commit == NEW


def test_there_is_nothing_before_the_first_snapshot() -> None:
    stores = memory_of("paper")
    open_version(stores, a_file("paper"), at=AT, commit=OLD)
    with pytest.raises(BadInput, match="none to return to"):
        begin_return(stores, reason="worse", at=AT)
    with pytest.raises(BadInput, match="--reason"):
        begin_return(stores, reason=" ", at=AT)


@pytest.mark.parametrize(("before", "after", "waits"), [(FEW, MANY, False), (MANY, FEW, True)])
def test_on_live_a_return_to_looser_settings_waits(
    before: dict[str, int], after: dict[str, int], *, waits: bool
) -> None:
    stores = memory_of("live")
    for number, limits in ((1, before), (2, after)):
        if propose(stores, a_file("live", **limits), reason="so", at=AT - DELAY).waits:
            approve(stores, number, reason="so", at=AT, delay=timedelta())
    assert begin_return(stores, reason="worse", at=AT).proposal.waits is waits
    wanted = after if waits else before
    assert snapshot_of(stores) == ("", a_file("live", **wanted).digest)
