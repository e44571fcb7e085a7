"""This is parity of strategies of minute bars: an equal account is equal, and what differs has its cause to the won."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Happened, Recording
from strategies.exits import ExitParameters
from strategies.settings import StrategySettings
from tests.builders import LG_CHEM
from tests.minute_days import A_SESSION, day_of
from tests.recordings import (
    CALENDAR,
    DAYS,
    FIRST,
    a_recording,
    account,
    bars_of,
    causes,
    trend,
)
from trading.orders import Side

RANGE: Final = StrategySettings.model_validate(
    {
        "id": "range",
        "kind": "opening_range_breakout",
        "parameters": {"minutes": 2, "enter_until": 60, "leave_after": 300},
        "symbols": [LG_CHEM],
        "exits": {"stop_loss": 0.03, "take_profit": None},
    }
)
CLOSES: Final = [10_000, 10_050, 10_100, 10_110, 10_120, 9_990, 9_980]
"""A range of 10,000 to 10,050; above it at 9:03, bought at 9:04's opening, below it at 9:06, sold at 9:07's."""
STOPPED: Final = [10_000, 10_050, 10_100, 10_110, 10_120, 9_700, 9_650]


def recorded(
    closes: list[int] = CLOSES,
    change: Callable[[Happened], Happened] = lambda happened: happened,
    *,
    settings: StrategySettings = RANGE,
) -> Recording:
    """Give an account that did on one day what its strategies of days and of minutes do, but for `change`."""
    daily = bars_of([10_000, 10_000, 10_100, closes[-1] - 30])
    minutes = [*day_of(DAYS[2], [10_000] * A_SESSION, symbol=LG_CHEM)]
    minutes += [replace(bar, volume=1_000) for bar in day_of(FIRST, closes, symbol=LG_CHEM)]
    plain = a_recording({LG_CHEM: daily}, minutes={LG_CHEM: minutes})
    (plan,) = plain.plans
    return account(
        replace(plain, plans=(replace(plan, strategies=(settings, trend(LG_CHEM))),)), change
    )


def test_an_account_by_the_minute_is_equal_to_the_won() -> None:
    recording = recorded()
    report = compare(recording, CALENDAR)
    assert report.is_equal
    assert [(d.strategy_id, d.direction, d.why) for d in report.decisions] == [
        ("range", "ENTRY", Why.EQUAL),
        ("range", "EXIT", Why.EQUAL),
        ("trend", "ENTRY", Why.EQUAL),
    ]
    assert report.looks == len(CLOSES) + 1
    assert report.money.parts == ()
    prices = {
        fill.side: int(fill.price)
        for fill in recording.actual.executions
        if fill.strategy_id == "range"
    }
    assert prices == {Side.BUY: 10_110, Side.SELL: 9_980}


def without(side: Side) -> Callable[[Happened], Happened]:
    """Let nobody have decided to trade so."""

    def change(happened: Happened) -> Happened:
        gone = {
            order.intent.signal_id
            for order in happened.orders
            if (order.intent.strategy_id, order.side) == ("range", side)
        }
        orders = tuple(o for o in happened.orders if o.intent.signal_id not in gone)
        kept = {order.client_order_id for order in orders}
        return replace(
            happened,
            signals=tuple(s for s in happened.signals if s.signal_id not in gone),
            orders=orders,
            executions=tuple(f for f in happened.executions if f.client_order_id in kept),
        )

    return change


@pytest.mark.parametrize("closes", [CLOSES, STOPPED])
def test_an_exit_that_nobody_made_is_named_and_costs_what_it_costs(closes: list[int]) -> None:
    report = compare(recorded(closes, without(Side.SELL)), CALENDAR)
    assert [(d.direction, d.why) for d in report.unequal if d.strategy_id == "range"] == [
        ("EXIT", Why.NOT_MADE)
    ] * len(report.unequal)
    assert report.unequal
    assert report.money.unexplained == 0
    assert Cause.DECISION in causes(report)


def test_a_trailing_stop_that_nobody_heard_is_a_decision_that_differs() -> None:
    """Bought at 10,110, risen to 10,400, and 10,296 is a hundredth below that."""
    exits = ExitParameters(stop_loss=None, take_profit=None, trailing_stop=Decimal("0.01"))
    trailing = RANGE.model_copy(update={"exits": exits})
    closes = [10_000, 10_050, 10_100, 10_110, 10_300, 10_400, 10_390, 10_290, 10_280]
    assert compare(recorded(closes, settings=trailing), CALENDAR).is_equal
    report = compare(recorded(closes, without(Side.SELL), settings=trailing), CALENDAR)
    assert [(d.direction, d.trigger, d.why) for d in report.unequal] == [
        ("EXIT", "stop", Why.NOT_MADE)
    ]


def test_an_entry_at_a_minute_that_has_changed_since_is_no_equal_decision() -> None:
    recording = recorded()
    lower = [
        replace(b, close=10_040, low=10_040) if b.close == 10_100 else b
        for b in recording.minutes[LG_CHEM]
    ]
    report = compare(replace(recording, minutes={LG_CHEM: lower}), CALENDAR)
    assert Why.BARS in {decision.why for decision in report.unequal}


def test_other_parameters_are_told_apart() -> None:
    recording = recorded()
    (plan,) = recording.plans
    slower = RANGE.model_copy(update={"parameters": {**RANGE.parameters, "enter_until": 61}})
    plans = (replace(plan, strategies=(slower, trend(LG_CHEM))),)
    report = compare(replace(recording, plans=plans), CALENDAR)
    found = {decision.why for decision in report.unequal if decision.strategy_id == "range"}
    assert Why.SETTINGS in found
