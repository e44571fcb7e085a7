"""This is parity over days within which a share became two: what was traded before is the same won in other shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Happened, Recording
from tests.builders import LG_CHEM
from tests.recordings import CALENDAR, DAYS, a_recording, account, bars_of, causes
from trading.executions import Execution
from trading.ledger import Ledger
from trading.orders import Order, Side

UP_AND_DOWN = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_250]
"""Closes on the scale of the last day: 388 shares bought on the 4th day at 10,100, sold on the 7th at 10,200."""
HALF = Fraction(1, 2)


def splitting(since: date, closes: list[int] = UP_AND_DOWN) -> Recording:
    """Give an account that did what its replay does, half as many shares for twice as much each before `since`."""
    recording = a_recording({LG_CHEM: bars_of(closes)})
    scales = {(LG_CHEM, day): HALF for day in DAYS if day < since}

    def before(happened: Happened) -> Happened:
        held, fills = 0, []
        for fill in happened.executions:
            done = halved(fill) if fill.trading_day < since else fill
            if (
                done.side is Side.SELL
            ):  # no more than the book has: nobody's are those that the split made
                done = replace(done, value=int(done.price * held), quantity=held)
            held += done.share_change
            fills.append(done)
        orders = tuple(half(order, since) for order in happened.orders)
        signals = tuple(
            replace(s, reference_price=s.reference_price * 2) if s.trading_day < since else s
            for s in happened.signals
        )
        return Happened(signals, orders, tuple(fills), happened.closing)

    return replace(account(recording, before), scales=scales)


def halved(fill: Execution) -> Execution:
    """Give half of the shares for the same won."""
    return replace(fill, quantity=fill.quantity // 2, cumulative_quantity=fill.quantity // 2)


def half(order: Order, since: date) -> Order:
    """Give an order of half as many shares, if it was made before."""
    if order.intent.trading_day >= since:
        return order
    intent = replace(order.intent, quantity=order.quantity // 2)
    return replace(order, intent=intent, filled_quantity=order.filled_quantity // 2)


def test_what_was_bought_and_sold_before_a_split_is_the_same_won() -> None:
    report = compare(splitting(DAYS[7]), CALENDAR)
    assert report.is_equal
    assert len(report.decisions) == 2
    assert report.money.parts == ()
    assert [holding.sessions for holding in report.holdings] == [4]


def test_what_a_split_made_of_a_holding_is_named_so() -> None:
    """194 were bought and sold; the 194 beside them are in no book of ours."""
    report = compare(splitting(DAYS[5]), CALENDAR)
    assert report.is_equal
    assert causes(report) == {Cause.SPLIT: -194 * 10_200}
    assert [holding.sessions for holding in report.holdings] == [4]


def test_what_is_taken_over_of_a_split_is_by_hand() -> None:
    recording = splitting(DAYS[5])
    book = recording.actual.closing.adopt(LG_CHEM, quantity=194, cost=194 * 10_200)
    actual = replace(recording.actual, closing=book)
    recording = replace(recording, actual=actual, taken_over=194 * 10_200)
    report = compare(recording, CALENDAR)
    assert causes(report) == {Cause.SPLIT: -194 * 10_200, Cause.MANUAL: 194 * 50}
    assert report.is_equal


def test_a_holding_after_a_split_keeps_what_it_cost() -> None:
    """Bought at 20,200, a share of 10,100 and more now: no stop was reached, and a later round trip is another."""
    closes = [*UP_AND_DOWN, 10_300, 10_400, 10_300, 10_300]
    report = compare(splitting(DAYS[5], closes), CALENDAR)
    assert [d.why for d in report.decisions] == [Why.EQUAL] * len(report.decisions)
    assert report.money.unexplained == 0
    assert causes(report).keys() <= {Cause.SPLIT, Cause.SIZE, Cause.FEES, Cause.TAX}


@pytest.mark.parametrize("since", [DAYS[4], DAYS[7]])
def test_what_was_held_before_and_sold_before_a_split_is_named_so(since: date) -> None:
    recording = a_recording({LG_CHEM: bars_of(UP_AND_DOWN)})
    (plan,) = recording.plans
    bought, sold = account(recording).actual.executions
    opening = recording.opening.deposit(10_000_000, on=DAYS[3]).post(bought)
    held = replace(plan, first=DAYS[5], opening=opening, past=(bought,), deposits={})
    later = replace(
        recording, plans=(held,), scales={(LG_CHEM, d): HALF for d in DAYS if d < since}
    )
    signals = [s for s in account(recording).actual.signals if s.trading_day >= DAYS[5]]
    orders = [o for o in account(recording).actual.orders if o.intent.trading_day >= DAYS[5]]
    was = replace(sold, value=sold.value * 2) if sold.trading_day < since else sold
    happened = Happened(tuple(signals), tuple(orders), (was,), opening.post(was))
    report = compare(replace(later, actual=happened), CALENDAR)
    assert report.money.unexplained == 0
    assert causes(report).keys() == ({Cause.SPLIT} if sold.trading_day < since else set())


def test_an_account_of_nothing_has_no_split() -> None:
    recording = a_recording({LG_CHEM: bars_of([10_000] * 8)})
    nothing = Happened((), (), (), Ledger("account").deposit(10_000_000, on=DAYS[3]))
    scales = {(LG_CHEM, DAYS[3]): HALF}
    report = compare(replace(recording, actual=nothing, scales=scales), CALENDAR)
    assert report.money.parts == ()
