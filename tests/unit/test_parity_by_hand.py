"""This is parity of an account whose owner trades by hand what its strategies hold."""

from __future__ import annotations

from dataclasses import replace

from backtest.attribution import Cause
from backtest.parity import compare
from backtest.recordings import Happened, Recording, replay
from backtest.signal_makers import SignalMaker
from tests.builders import LG_CHEM, seoul
from tests.recordings import CALENDAR, DAYS, a_recording, account, bars_of, causes, examined
from trading.executions import Execution
from trading.manual_orders import MANUAL
from trading.orders import Side

UP_AND_DOWN = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]
"""Bought at the opening of the 4th day (10,100), sold at that of the 7th (10,200): 388 shares."""
SHARES = 388
TAXES = 2 * 5_936


def by_hand(sold: Execution, *, day: int, price: int, quantity: int = SHARES) -> Execution:
    """Give a sale in HTS on the morning of a day, for a commission of 100 and 1,000 won of tax."""
    return replace(
        sold,
        execution_id="hand",
        client_order_id="hand",
        strategy_id=MANUAL,
        quantity=quantity,
        value=quantity * price,
        commission=100,
        tax=1_000,
        trading_day=DAYS[day],
        executed_at=seoul(DAYS[day], "10:00"),
    )


def without_the_exit(happened: Happened, *fills: Execution) -> Happened:
    """Let the strategy have held nothing that it could leave."""
    entries = tuple(s for s in happened.signals if s.direction == "ENTRY")
    orders = tuple(o for o in happened.orders if o.side is Side.BUY)
    return replace(happened, signals=entries, orders=orders, executions=fills)


def test_what_the_owner_sold_is_no_decision_that_nobody_made() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        return without_the_exit(happened, buy, by_hand(sell, day=4, price=10_250))

    report = examined(UP_AND_DOWN, change)
    assert [(d.direction, d.why) for d in report.decisions] == [("ENTRY", "equal")]
    assert report.is_equal
    # 50 more for each share than the replay got three days later; its charges stand by themselves.
    assert causes(report) == {Cause.MANUAL: SHARES * 50 - 1_100, Cause.FEES: 593, Cause.TAX: TAXES}
    assert [(h.sessions, h.modelled) for h in report.holdings] == [(2, 4)]


def test_what_the_owner_left_of_a_holding_is_the_strategys_to_sell() -> None:
    def change(happened: Happened) -> Happened:
        buy, sell = happened.executions
        rest = replace(sell, quantity=SHARES - 88, value=(SHARES - 88) * 10_200)
        hand = by_hand(sell, day=4, price=10_250, quantity=88)
        return replace(happened, executions=(buy, hand, rest))

    report = examined(UP_AND_DOWN, change)
    assert report.is_equal
    assert causes(report) == {Cause.MANUAL: 88 * 50 - 1_100}


def sold_before(first: int) -> Recording:
    """Give an account that begins after its owner sold what its strategy held."""
    plain = a_recording({LG_CHEM: bars_of([*UP_AND_DOWN, 10_100, 9_000, 9_000])})
    bought, sold, *_ = replay(plain, CALENDAR).executions
    past = (bought, by_hand(sold, day=4, price=10_250))
    opening = plain.opening.deposit(10_000_000, on=DAYS[3])
    for fill in past:
        opening = opening.post(fill)
    (plan,) = plain.plans
    later = replace(plan, first=DAYS[first], opening=opening, past=past, deposits={})
    return replace(plain, plans=(later,), actual=Happened((), (), (), opening))


def test_what_was_sold_by_hand_before_is_held_by_neither() -> None:
    report = compare(sold_before(5), CALENDAR)
    assert report.is_equal
    assert (report.decisions, report.money.parts) == ((), ())


def bought_again() -> Recording:
    """Give an account whose strategy lost its shares by hand and bought others days later."""
    closes = [*UP_AND_DOWN[:6], 10_200, 10_300, 10_400, 10_300, 10_300]

    def change(happened: Happened) -> Happened:
        bought, sold, *later = happened.executions
        signals = tuple(s for s in happened.signals if s.trading_day != sold.trading_day)
        orders = tuple(o for o in happened.orders if o.intent.trading_day != sold.trading_day)
        fills = (bought, by_hand(sold, day=4, price=10_250), *later)
        return replace(happened, signals=signals, orders=orders, executions=fills)

    return account(a_recording({LG_CHEM: bars_of(closes)}), change)


def test_a_strategy_that_buys_again_begins_another_holding() -> None:
    report = compare(bought_again(), CALENDAR)
    assert report.is_equal
    assert report.money.of(Cause.MANUAL) == SHARES * 50 - 1_100
    assert report.money.of(Cause.DECISION) == 0
    assert [(h.sessions, h.modelled) for h in report.holdings] == [(2, 4), (3, 3)]


def test_a_recorded_day_is_decided_again_from_what_the_owner_had_left() -> None:
    recording = bought_again()
    (plan,) = recording.plans
    again = SignalMaker(recording, CALENDAR, lambda _version: plan).made_anew()
    assert [s.signal_id for s in again] == [s.signal_id for s in recording.actual.signals]
