"""This is parity of strategies whose stop follows the highest price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Happened, Recording, replay
from strategies.exits import ExitParameters
from tests.builders import LG_CHEM
from tests.recordings import CALENDAR, DAYS, FIRST, a_recording, account, bars_of, trend

TRAILING = ExitParameters(stop_loss=Decimal("0.2"), take_profit=None, trailing_stop=Decimal("0.05"))
UP_THEN_DOWN = [10_000, 10_000, 10_100, 10_800, 10_810, 10_820, 10_000]
"""Bought at the opening of the 4th day (10,100); 5 % below 10,820 is 10,279, reached on the 7th day."""


def followed() -> Recording:
    """Give an account that did what its replay does."""
    settings = trend(LG_CHEM).model_copy(update={"exits": TRAILING})
    plain = a_recording({LG_CHEM: bars_of(UP_THEN_DOWN)})
    (plan,) = plain.plans
    return account(replace(plain, plans=(replace(plan, strategies=(settings,)),)))


def test_an_account_that_followed_the_price_is_equal() -> None:
    report = compare(followed(), CALENDAR)
    assert report.is_equal
    assert [(d.trigger, d.trading_day) for d in report.decisions] == [
        ("cross", FIRST),
        ("stop", DAYS[6]),
    ]


def test_a_trailing_stop_that_nobody_heard_is_a_decision_that_differs() -> None:
    recording = followed()
    happened = recording.actual
    bought = happened.executions[0]
    book = recording.opening.deposit(10_000_000, on=FIRST).post(bought)
    deaf = Happened(happened.signals[:1], happened.orders[:1], (bought,), book)
    (unequal,) = compare(replace(recording, actual=deaf), CALENDAR).unequal
    assert (unequal.trigger, unequal.trading_day, unequal.why) == ("stop", DAYS[6], Why.NOT_MADE)


def test_a_high_before_the_first_day_still_counts() -> None:
    recording = followed()
    bought, sold = recording.actual.executions
    opening = recording.opening.deposit(10_000_000, on=FIRST).post(bought)
    (plan,) = recording.plans
    later = replace(plan, first=DAYS[6], opening=opening, past=(bought,), deposits={})
    cut = replace(recording, plans=(later,))
    assert [fill.value for fill in replay(cut, CALENDAR).executions] == [sold.value]
    rest = replace(
        recording.actual,
        signals=recording.actual.signals[1:],
        orders=recording.actual.orders[1:],
        executions=(sold,),
    )
    assert compare(replace(cut, actual=rest), CALENDAR).is_equal
