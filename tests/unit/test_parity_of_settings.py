"""This is parity of an account whose settings changed while the day ran, or whose strategies traded in several steps."""

from __future__ import annotations

from dataclasses import replace

from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Recording, replay
from tests.builders import LG_CHEM
from tests.recordings import CALENDAR, a_recording, account, bars_of, causes, trend

UP_AND_DOWN = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]


def decided_by(name: str) -> Recording:
    """Give an account in which another strategy than the morning's did what that would have done."""
    recording = a_recording({LG_CHEM: bars_of(UP_AND_DOWN)})
    (plan,) = recording.plans
    other = trend(LG_CHEM).model_copy(update={"id": name})
    happened = replay(replace(recording, plans=(replace(plan, strategies=(other,)),)), CALENDAR)
    return account(recording, lambda _: happened)


def test_a_strategy_that_the_morning_did_not_know_is_a_decision_that_differs() -> None:
    report = compare(decided_by("swing"), CALENDAR)
    assert [(d.strategy_id, d.direction, d.why) for d in report.decisions] == [
        ("trend", "ENTRY", Why.NOT_MADE),
        ("swing", "ENTRY", Why.SETTINGS),
        ("swing", "EXIT", Why.SETTINGS),
    ]
    assert report.money.of(Cause.MANUAL) == 0
    assert (report.money.difference, report.money.unexplained) == (0, 0)
    assert {part.strategy_id for part in report.money.parts} == {"trend", "swing"}


def test_a_symbol_that_the_strategy_had_no_more_is_a_decision_that_differs() -> None:
    recording = decided_by("trend")
    (plan,) = recording.plans
    elsewhere = trend(LG_CHEM).model_copy(update={"symbols": ("005380",)})
    bars = {**recording.bars, "005380": bars_of([10_000] * len(UP_AND_DOWN), "005380")}  # type: ignore[dict-item,arg-type] # a symbol
    plans = (replace(plan, strategies=(elsewhere,)),)
    report = compare(replace(recording, plans=plans, bars=bars), CALENDAR)  # type: ignore[arg-type] # as above
    assert [d.why for d in report.decisions] == [Why.SETTINGS, Why.SETTINGS]
    assert causes(report).keys() == {Cause.DECISION, Cause.FEES, Cause.TAX}
