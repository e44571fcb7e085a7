"""This is the proof that no refusal goes unrecorded: each rule's row, with all that the rule looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.submissions import submit
from tests.desks import a_floor
from tests.refusals import Refusal, refusals
from trading.decisions import Verdict
from trading.orders import OrderStatus


@pytest.mark.parametrize("refusal", list(refusals()))
async def test_every_refusal_is_kept_with_the_figures_that_the_rule_looked_at(
    refusal: Refusal, tmp_path: Path
) -> None:
    floor = a_floor(tmp_path, risk=refusal.limits)
    floor.at("10:00")
    breach = refusal.rule.check(refusal.intent, refusal.view)
    assert breach is not None
    assert breach.message
    assert breach.figures, "a refusal without its input cannot be checked afterwards"

    with floor.stores.lease("orders") as lease:
        assert lease is not None
        order = await submit(floor.desk, lease, refusal.intent, refusal.view)
    assert order is not None
    assert order.status is OrderStatus.DENIED
    assert floor.broker.sent == []
    with floor.stores.begin() as work:
        events = work.risk_events.of_order(order.client_order_id, floor.desk.today())
    (kept,) = (event for event in events if event.breach.rule_id == refusal.rule_id)
    assert (kept.verdict, kept.breach) == (Verdict.DENIED, breach)
    assert (kept.at, kept.symbol) == (order.updated_at, refusal.intent.symbol)
