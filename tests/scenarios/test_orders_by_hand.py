"""This is what the owner trades by hand: booked apart or quarantined, and never touched by a strategy."""

from __future__ import annotations

from pathlib import Path

from tasks.reports import close_day
from tasks.signals import guarded_positions
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, a_signal
from tests.desks import Floor, a_floor, an_exit
from trading.manual_orders import MANUAL
from trading.orders import OrderStatus, Side
from trading.plans import Act
from trading.reconciliation import DifferenceKind


async def test_an_order_by_hand_is_booked_apart_and_never_touched(floor: Floor) -> None:
    """Incident 45: a manual trade was "corrected" away."""
    await floor.open()
    number = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    done = await floor.reconcile()
    assert [(d.kind, d.subject) for d in done.differences] == [
        (DifferenceKind.ORDER_FOREIGN, number)
    ]
    assert floor.orders == ()  # it has changed neither cash nor shares
    floor.at("09:00")
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    done = await floor.reconcile()
    assert done.is_clean
    assert done.differences == ()
    assert (floor.order().intent.strategy_id, floor.order().status) == (MANUAL, OrderStatus.FILLED)
    assert [row.status for row in floor.broker.book] == [OrderStatus.FILLED]
    assert len(floor.broker.sent) == 0
    floor.assert_books_agree()


async def test_the_days_report_counts_money_by_hand_and_no_strategy_for_it(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    floor.print(401_000, auction=True)
    await floor.reconcile()
    floor.at("15:50")
    report = await close_day(floor.desk, A_DAY)
    assert (report.funnel.orders, report.funnel.filled, report.slippage.unmeasured) == (1, 1, 1)
    assert {holding.symbol for holding in report.holdings} == {LG_CHEM, HYUNDAI}
    assert report.day.closing.cash == floor.broker.ledger.cash


async def test_no_strategy_sells_what_was_bought_by_hand(floor: Floor) -> None:
    await floor.open()
    await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 10, 404_000)
    floor.at("09:00")
    floor.print(401_000, auction=True)
    await floor.reconcile()
    assert floor.ledger.position(LG_CHEM).quantity == 10
    assert await floor.trade(an_exit(a_signal())) == ()
    assert floor.broker.sent == []


async def test_what_the_owner_sold_by_hand_is_guarded_and_sold_by_nobody(floor: Floor) -> None:
    """Incident 45 again: a stop fires for shares that are gone."""
    entry = await floor.hold()
    await floor.broker.place_by_hand(LG_CHEM, Side.SELL, 24, 399_000)
    floor.print(399_000)
    assert (await floor.reconcile()).is_clean
    floor.print(380_000)
    assert guarded_positions(floor.desk) == ()
    assert await floor.trade(an_exit(entry)) == ()
    assert len(floor.broker.sent) == 1
    floor.assert_books_agree()


async def test_by_policy_an_order_by_hand_stops_its_symbol_and_is_not_booked(
    tmp_path: Path,
) -> None:
    floor = a_floor(tmp_path, manual_orders="quarantine")
    await floor.open()
    number = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    done = await floor.reconcile()
    assert [(d.kind, d.subject) for d in done.differences] == [
        (DifferenceKind.ORDER_FOREIGN, number),
        (DifferenceKind.POSITION, HYUNDAI),
        (DifferenceKind.CASH, "D+2"),
    ]
    assert (floor.orders, floor.executions) == ((), ())
    (stopped,) = await floor.trade(a_signal(symbol=HYUNDAI))
    assert (stopped.status, floor.breaches) == (OrderStatus.DENIED, ("HALTED",))
    (other,) = await floor.trade(a_signal())
    assert other.status is OrderStatus.ACCEPTED


async def test_what_was_traded_by_hand_while_nobody_looked_is_booked_the_next_morning(
    floor: Floor,
) -> None:
    await floor.open()
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("14:00")
    floor.print(150_000, symbol=HYUNDAI)
    floor.night()
    done = await floor.open()
    assert [(s.act, s.order.intent.trading_day) for s in done.booked] == [(Act.BOOK, A_DAY)]
    assert done.differences == ()
    floor.assert_books_agree()


async def test_what_was_traded_by_hand_before_the_opening_is_not_booked_again(
    floor: Floor,
) -> None:
    floor.at("08:50")
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    for _ in range(3):
        assert (await floor.reconcile()).differences == ()
    assert floor.ledger.position(HYUNDAI).quantity == 10
    assert floor.executions == ()


async def test_a_modify_by_hand_keeps_its_fills_on_the_order_it_changed(floor: Floor) -> None:
    """Incident 8: the modified order lives under another number; there is still one order."""
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.hear(*floor.print(400_000, 200, auction=True))
    number = floor.broker.modify_by_hand(floor.order().broker_order_id, price=399_000)
    floor.at("10:00")
    assert floor.print(399_000)[0].broker_order_id == number
    done = await floor.reconcile()
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.FILLED, 24)
    assert done.is_clean
    floor.assert_books_agree()
