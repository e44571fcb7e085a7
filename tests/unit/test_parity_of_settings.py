"""This is parity of an account whose settings changed while the day ran, or whose strategies traded in several steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from backtest.attribution import Cause, Fates
from backtest.decisions import Why
from backtest.episodes import Leg
from backtest.parity import compare
from backtest.recordings import Happened, Recording, replay
from tests.builders import HYUNDAI, LG_CHEM, a_signal, an_order
from tests.recordings import CALENDAR, DAYS, a_recording, account, bars_of, causes, trend
from trading.equity import EquityPoint
from trading.ledger import Ledger
from trading.orders import OrderStatus

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
    elsewhere = trend(LG_CHEM).model_copy(update={"symbols": (HYUNDAI,)})
    bars = {**recording.bars, HYUNDAI: bars_of([10_000] * len(UP_AND_DOWN), HYUNDAI)}
    plans = (replace(plan, strategies=(elsewhere,)),)
    report = compare(replace(recording, plans=plans, bars=bars), CALENDAR)
    assert [d.why for d in report.decisions] == [Why.SETTINGS, Why.SETTINGS]
    assert causes(report).keys() == {Cause.DECISION, Cause.FEES, Cause.TAX}


FALLEN = [10_000, 10_000, 10_100, 10_100, 9_400, 9_500, 9_500]
"""Bought on the 4th day, stopped on the 5th at 9,595 of 10,100, wanted again on the 7th."""


def changed(recording: Recording, since: date, **limits: Any) -> Recording:
    """Let another version be in force from a day on, and all of them have these limits."""
    (plan,) = recording.plans
    plan = replace(plan, limits=plan.limits.model_copy(update=limits))
    until = CALENDAR.previous_trading_day(since)
    deposits = {day: won for day, won in plan.deposits.items() if day <= until}
    later = {day: won for day, won in plan.deposits.items() if day > until}
    first = replace(plan, last=until, deposits=deposits)
    return replace(recording, plans=(first, replace(plan, first=since, deposits=later)))


def denials(recording: Recording) -> list[str]:
    """Give by which rules the replay's orders were denied."""
    found = replay(recording, CALENDAR).orders
    return [o.error_message for o in found if o.status is OrderStatus.DENIED]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"stop_cooldown_sessions": 3}, "STOP_COOLDOWN"),
        ({"drawdown": Decimal("0.01")}, "DRAWDOWN"),
    ],
)
def test_another_version_knows_what_was_lost_before_it(limits: dict[str, Any], rule: str) -> None:
    recording = a_recording({LG_CHEM: bars_of(FALLEN)})
    for since in (DAYS[5], DAYS[6]):
        (told,) = denials(changed(recording, since, **limits))
        assert rule in told
    whole = replace(
        recording.plans[0], limits=changed(recording, DAYS[6], **limits).plans[0].limits
    )
    (told,) = denials(replace(recording, plans=(whole,)))
    assert rule in told


def test_a_fall_before_the_first_day_counts_and_what_is_paid_in_does_not_end_it() -> None:
    recording = a_recording({LG_CHEM: bars_of([10_000, 10_000, 10_100, 10_200])})
    (plan,) = recording.plans
    peak, low = (
        EquityPoint(DAYS[0], 0, 10_000_000, 10_000_000),
        EquityPoint(DAYS[1], 10_000_000, 7_000_000),
    )
    paid_in = EquityPoint(DAYS[2], 7_000_000, 17_000_000, 10_000_000)
    for curve in ((peak, low), (peak, low, paid_in)):
        (told,) = denials(replace(recording, plans=(replace(plan, curve=curve),)))
        assert "DRAWDOWN" in told


def test_a_stop_before_the_first_day_counts() -> None:
    recording = a_recording({LG_CHEM: bars_of([10_000, 10_000, 10_100, 10_200])})
    (plan,) = recording.plans
    limits = plan.limits.model_copy(update={"stop_cooldown_sessions": 3})
    for since, count in ((2, 1), (3, 0)):
        stopped = replace(plan, limits=limits, stopped={LG_CHEM: since})
        assert len(denials(replace(recording, plans=(stopped,)))) == count


@pytest.mark.parametrize(
    ("second", "filled", "expected"),
    [
        (OrderStatus.FILLED, 50, {Cause.SIZE: 80}),
        (OrderStatus.EXPIRED, 20, {Cause.FILLS: 30, Cause.SIZE: 80}),
        (OrderStatus.EXPIRED, 0, {Cause.FILLS: 50, Cause.SIZE: 80}),
        (OrderStatus.DENIED, 0, {Cause.DENIAL: 130}),
        (None, 0, {Cause.SIZE: 130}),
    ],
)
def test_each_of_several_signals_keeps_its_own_cause(
    second: OrderStatus | None, filled: int, expected: dict[Cause, int]
) -> None:
    """Two steps up to a weight: 100 bought, then 50 wanted, of which some came; the replay took 130 then."""
    steps = (a_signal(), a_signal(trigger="weight"))
    before, then = (signal.signal_id for signal in steps)
    bought = an_order(signal_id=before, quantity=100)
    orders = [replace(bought, status=OrderStatus.FILLED, filled_quantity=100)]
    if second:
        more = an_order(signal_id=then, quantity=50, client_order_id="then")
        orders.append(replace(more, status=second, filled_quantity=filled))
    fates = Fates(Happened(steps, tuple(orders), (), Ledger("account")))
    own = Leg(100 + filled, signals={before: 100} | ({then: filled} if filled else {}))
    replayed = Leg(230, signals={before: 100, then: 130})
    assert dict(fates.causes(own, replayed, 130 - filled)) == expected
