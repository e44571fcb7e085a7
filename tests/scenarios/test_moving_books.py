"""This is comparing books while fills go on: what is only on its way is no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.notifier import Severity
from tests.builders import LG_CHEM, a_signal
from tests.desks import Floor, a_floor
from trading.reconciliation import DifferenceKind


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return a_floor(tmp_path)


async def test_a_fill_between_two_answers_is_booked_and_no_difference(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")

    async def fill_once() -> None:
        floor.broker.on_inquiry.clear()
        floor.print(401_000, auction=True)

    floor.broker.on_inquiry.append(fill_once)
    found = await floor.reconcile()
    assert found.differences == ()
    assert floor.ledger.position(LG_CHEM).quantity == 24
    assert floor.titles(Severity.WARNING) == ()
    floor.assert_books_agree()


async def test_a_difference_that_stays_is_told_once(floor: Floor) -> None:
    await floor.hold()
    with floor.stores.begin() as work:
        work.ledger.adopt(LG_CHEM, quantity=1, cost=401_000, at=floor.clock.now())
    first, second = await floor.reconcile(), await floor.reconcile()
    assert [d.kind for d in first.differences] == [DifferenceKind.POSITION]
    assert second.differences == first.differences
    assert len(floor.titles(Severity.WARNING)) == 1
