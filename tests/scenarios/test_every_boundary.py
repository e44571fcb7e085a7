"""This is the proof that every rule has its boundary, and that on both sides of it what it looked at is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.memory.stores import MemoryStores
from risk.limits import RiskLimits
from risk.rules import rules_for
from tasks.submissions import submit
from tests.boundaries import STEPS, Boundary, boundaries, rule_ids
from tests.builders import ACCOUNT
from tests.desks import a_floor
from trading.decisions import Verdict

EXPOSURE = {
    "CASH",
    "DAILY_LOSS",
    "DRAWDOWN",
    "MAXIMUM_DAILY_VALUE",
    "MAXIMUM_HOLDINGS",
    "MAXIMUM_QUANTITY",
    "MAXIMUM_WEIGHT",
    "SELLABLE",
}
"""Limits that an order in flight uses up."""


def test_no_rule_and_no_limit_is_without_its_boundary() -> None:
    found = boundaries()
    assert {each.rule_id for each in found} == rule_ids()
    assert {each.limit for each in found} - {""} == RiskLimits.model_fields.keys()
    assert {each.rule_id for each in found if each.counts_doubts} >= EXPOSURE
    assert all(len(set(each.refuses)) == 2 for each in found), "nothing changes there"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("boundary", boundaries(), ids=lambda boundary: boundary.name)
async def test_one_step_before_at_and_behind_each_boundary_the_verdict_and_its_input_are_kept(
    boundary: Boundary, step: int, tmp_path: Path
) -> None:
    asked = boundary.ask(step)
    limits = RiskLimits.model_validate(dict(asked.limits))
    rule = next(rule for rule in rules_for(limits) if rule.rule_id == boundary.rule_id)
    breach = rule.check(asked.intent, asked.view)
    assert (breach is not None) is boundary.refuses[STEPS.index(step)]

    stores = MemoryStores(channel="dev", account=ACCOUNT)  # the view has a book of its own
    floor = a_floor(tmp_path, risk=asked.limits, stores=stores)
    floor.at("10:00")
    with stores.lease("orders") as lease:
        assert lease is not None
        order = await submit(floor.desk, lease, asked.intent, asked.view)
    assert order is not None
    assert breach is None or floor.broker.sent == []
    with stores.begin() as work:
        events = work.risk_events.of_order(order.client_order_id, asked.intent.trading_day)
    (kept,) = (event for event in events if event.breach.rule_id == rule.rule_id)
    assert kept.verdict is (Verdict.DENIED if breach else Verdict.PASSED)
    looked_at = breach.figures if breach else rule.figures(asked.intent, asked.view)
    assert kept.breach.figures == looked_at != {}
