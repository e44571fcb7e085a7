"""What the gate was asked with survives being written down: read again, it gets the same answers word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from risk.inputs import INPUTS, Inputs, orders_seen
from risk.judgements import Judgement
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.views import RiskView
from tests.boundaries import STEPS, boundaries
from tests.builders import A_DAY
from tests.refusals import Refusal, refusals
from tests.risk_views import NOW, a_ledger, a_view, an_open_buy, buy
from trading.decisions import Breach, RiskEvent
from trading.halts import Halt, TradingState
from trading.ledger import CashFlow
from trading.orders import OrderIntent

HALTS = (Halt("operator", TradingState.REDUCING, "점검", NOW, strategy_id="trend"),)


def read_again(inputs: Inputs) -> Inputs:
    """Write and read, as a database does it."""
    kept = inputs.breach()
    kept = replace(kept, figures=json.loads(json.dumps(kept.figures)))
    view = inputs.view
    intents = {o.client_order_id: o.intent for o in (*view.day_orders, *view.open_orders)}
    assert set(orders_seen(kept)) == intents.keys()
    assert kept.rule_id == INPUTS
    again = Inputs.of(kept, intents)
    assert again is not None
    return again


CHANGES: Final = {
    "gone": {},
    "no text": {"asked": "I felt like it"},
    "nothing in it": {"asked": "[]"},
    "no view": {"asked": '{"orders": {}, "open": [], "day": [], "halts": [], "owned": null}'},
}


@pytest.mark.parametrize("name", CHANGES)
def test_inputs_that_were_changed_are_no_inputs(name: str) -> None:
    kept = Breach(INPUTS, "", CHANGES[name])
    assert Inputs.of(kept, {}) is None
    assert orders_seen(kept) == ()


@pytest.mark.parametrize(("old", "new"), [("051910", "LG"), ("2018-01-16", "soon")])
def test_a_figure_that_cannot_be_makes_them_unreadable(old: str, new: str) -> None:
    kept = Inputs(a_view()).breach()
    asked = kept.figures["asked"].replace(old, new)
    assert asked != kept.figures["asked"]
    assert Inputs.of(replace(kept, figures={"asked": asked}), {}) is None


def test_an_order_that_is_missing_makes_them_unreadable() -> None:
    kept = Inputs(a_view(open_orders=(an_open_buy(),))).breach()
    assert Inputs.of(kept, {}) is None


def judged(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> tuple[RiskEvent, ...]:
    """Ask every rule."""
    return Judgement.of(intent, view, rules_for(limits)).events(at=NOW)


@pytest.mark.parametrize("refusal", list(refusals()))
def test_every_refusal_is_repeated_from_what_was_written_down(refusal: Refusal) -> None:
    again = read_again(Inputs(refusal.view, 3, HALTS))
    assert (again.owned, again.halts) == (3, HALTS)
    limits = RiskLimits().model_copy(update=dict(refusal.limits))
    events = judged(refusal.intent, again.view, limits)
    assert events == judged(refusal.intent, refusal.view, limits)
    assert refusal.rule_id in {event.breach.rule_id for event in events}


def has_twins(view: RiskView) -> bool:
    """Tell whether a test made several orders of one id; stores have none such."""
    orders = {id(each): each for each in (*view.day_orders, *view.open_orders)}.values()
    return len({order.client_order_id for order in orders}) < len(orders)


def test_every_boundary_is_where_it_was() -> None:
    asks = [(each, step, each.ask(step)) for each in boundaries() for step in STEPS]
    told = [ask for ask in asks if not has_twins(ask[-1].view)]
    assert len(told) > 0.9 * len(asks)
    for boundary, step, asked in told:
        limits = RiskLimits().model_copy(update=dict(asked.limits))
        again = read_again(Inputs(asked.view))
        events = judged(asked.intent, again.view, limits)
        assert events == judged(asked.intent, asked.view, limits), (boundary, step)


def test_a_view_is_read_as_it_was_but_for_what_has_settled() -> None:
    flows = tuple(CashFlow(A_DAY + timedelta(days=n), 1_000 + n) for n in (-400, -1, 0, 1, 2))
    view = a_view(ledger=replace(a_ledger(), flows=flows), open_orders=(an_open_buy(),))
    again = read_again(Inputs(view)).view
    assert again.ledger.flows == (
        CashFlow(A_DAY, 3_000 - 401),
        CashFlow(A_DAY + timedelta(days=1), 1_001),
        CashFlow(A_DAY + timedelta(days=2), 1_002),
    )
    assert replace(again, ledger=view.ledger) == view


def test_a_halt_that_came_before_the_commit_refuses_again() -> None:
    halt = Halt("operator", TradingState.HALTED, "점검", NOW)
    judgement = Judgement.of(buy(), a_view(), rules_for(RiskLimits()))
    assert judgement.decision.is_approved
    decided, inputs = judgement.at_commit([halt])
    assert [breach.rule_id for breach in decided.decision.breaches] == ["HALTED"]
    again = read_again(inputs)
    repeated, _ = Judgement.of(buy(), again.view, rules_for(RiskLimits())).at_commit(again.halts)
    assert repeated.events(at=NOW) == decided.events(at=NOW)
