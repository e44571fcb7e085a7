"""This is what went wrong between others and their broker, replayed through the KIS adapter on the simulator."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.notifier import Severity
from tasks.cancellations import cancel_order, modify_order
from tasks.writers import only_writer
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import an_exit, on
from tests.kis_floors import KisFloor, a_kis_floor
from trading.errors import BrokerError, Unavailable
from trading.orders import Order, OrderStatus, Side

ONE_BY_ONE: dict[str, Any] = {"partial_fills": {"max_quantity": 1}}
"""An order takes one share of each print, so that it is open for a while."""


@pytest.mark.parametrize("fault", ["timeout_after_accept", "reply_lost"])
async def test_no_answer_from_a_broker_that_took_the_order_gives_one_order(
    tmp_path: Path, fault: str
) -> None:
    """Incident 1: the time-out was treated as failure and the order was sent again."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(**{fault: True})
        (doubtful,) = await floor.trade(a_signal())
        assert doubtful.is_in_doubt
        assert await floor.trade(a_signal()) == ()
        floor.faults(**{fault: None})
        await floor.reconcile()
        (placed,) = floor.truth
        (order,) = floor.orders
        assert (order.broker_order_id, order.filled_quantity) == (
            placed["number"],
            placed["filled_quantity"],
        )
        floor.assert_books_agree()


@pytest.mark.parametrize("http", [200, 500])
async def test_an_order_refused_for_pace_is_out_and_its_decision_may_come_again(
    tmp_path: Path, http: int
) -> None:
    """Incident 3: throttling as HTTP 500 on a write was read as in or out by guess."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(throttled={"http": http, "trs": ["order-cash"]})
        (refused,) = await floor.trade(a_signal())
        assert refused.status is OrderStatus.REJECTED
        assert floor.truth == []
        floor.faults(throttled=None)
        await floor.trade(a_signal())
        assert len(floor.truth) == 1
        await floor.reconcile()
        floor.assert_books_agree()


async def test_an_order_whose_row_shows_after_five_minutes_is_found_and_its_fills_booked(
    tmp_path: Path,
) -> None:
    """Incident 5: in flight too long was declared REJECTED; the order filled into an orphan position."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(reply_lost=True, orders_lag={"seconds": 300})
        await floor.trade(a_signal())
        floor.faults(reply_lost=None)
        for clock in ("09:06", "09:07", "09:08", "09:09"):
            await floor.to(clock)
            with suppress(Unavailable):  # totals without rows are no answer
                await floor.reconcile()
            assert floor.orders[0].is_in_doubt
        await floor.to("09:11")
        await floor.reconcile()
        (order,) = floor.orders
        assert order.filled_quantity == floor.truth[0]["filled_quantity"] > 0
        floor.assert_books_agree()


async def test_fills_that_nobody_heard_of_are_booked_by_the_next_inquiry(tmp_path: Path) -> None:
    """Incident 6: fills during a disconnect were lost for ever because nothing asked again."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(**ONE_BY_ONE)
        await floor.trade(a_signal())
        await floor.to("09:40")
        heard_of = floor.orders[0].filled_quantity
        await floor.reconcile()
        assert floor.orders[0].filled_quantity > heard_of
        floor.assert_books_agree()


async def test_the_same_number_on_another_day_is_another_order(tmp_path: Path) -> None:
    """Incident 7: the broker's numbers began anew, and fills went to the wrong order."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        (first,) = await floor.trade(a_signal())
        tomorrow = floor.desk.calendar.next_trading_day(floor.desk.today())
        await floor.to("09:05", day=tomorrow)
        await floor.reconcile()
        (second,) = await floor.trade(on(tomorrow, a_signal(symbol=SAMSUNG)))
        assert first.broker_order_id == second.broker_order_id
        await floor.reconcile()
        with floor.stores.begin() as work:
            old = work.orders.get(first.client_order_id)
        assert old is not None
        assert (old.symbol, old.filled_quantity) == (LG_CHEM, floor.truth[0]["filled_quantity"])
        floor.assert_books_agree()


@pytest.mark.parametrize("fault", ["timeout_after_accept", "reply_lost"])
async def test_a_change_during_an_outage_leaves_no_two_live_orders(
    tmp_path: Path, fault: str
) -> None:
    """Incident 8: a modify during an outage left two live orders."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(**ONE_BY_ONE)
        (order,) = await floor.trade(a_signal())
        floor.faults(**{fault: True})
        price = (order.intent.limit_price or 0) - 500
        async with only_writer(floor.desk) as lease:
            await modify_order(floor.desk, lease, order.client_order_id, price=price, pauses=(0.0,))
        floor.faults(**{fault: None})
        for _ in range(2):
            await floor.reconcile()
        assert sum(each["open_quantity"] > 0 for each in floor.truth) <= 1
        asked_for = sum(each["filled_quantity"] + each["open_quantity"] for each in floor.truth)
        assert asked_for <= order.quantity
        floor.assert_books_agree()


async def test_a_cancel_that_races_the_fills_drops_none(tmp_path: Path) -> None:
    """Incident 13b: an orphan fill at cancel was dropped."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.faults(**ONE_BY_ONE)
        (order,) = await floor.trade(a_signal())
        await floor.to("09:06")  # fills that nobody has heard of
        canceled = await cancel(floor, order)
        assert canceled.status is OrderStatus.CANCELED
        assert 0 < canceled.filled_quantity == floor.truth[0]["filled_quantity"]
        floor.assert_books_agree()


async def test_the_owner_and_a_schedule_never_spend_the_same_cash(tmp_path: Path) -> None:
    """Incident 45: manual and scheduled action spent the same cash."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        floor.by_hand(HYUNDAI, Side.BUY, 620, 160_000)  # all but a little of 100,000,000 won
        await floor.trade(a_signal())
        account = floor.world.simulator.book()["accounts"][0]
        assert account["cash"]["available"] >= 0
        (order,) = floor.orders
        assert order.status is OrderStatus.ACCEPTED
        assert 0 < order.quantity < 22  # what the whole account would have bought


async def test_a_throttled_balance_holds_back_no_stop(tmp_path: Path) -> None:
    """Incident 51: it was read as "no holdings", and stop-loss sells were dropped."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        entry = a_signal()
        await floor.trade(entry)
        await floor.reconcile()
        held = floor.ledger.position(LG_CHEM).quantity
        floor.faults(ledger_throttled={"trs": ["inquire-balance"]})
        with pytest.raises(BrokerError):
            await floor.reconcile()
        assert floor.ledger.position(LG_CHEM).quantity == held > 0
        (stop,) = await floor.trade(an_exit(entry))
        assert (stop.side, stop.quantity) == (Side.SELL, held)
        floor.faults(ledger_throttled=None)
        await floor.reconcile()
        assert floor.ledger.held_symbols == ()
        floor.assert_books_agree()


async def test_a_refused_sell_is_told_as_refused_and_tried_again(tmp_path: Path) -> None:
    """Incident 52: a failed sell was reported as sold."""
    async with a_kis_floor(tmp_path) as floor:
        await floor.to("09:05")
        entry = a_signal()
        await floor.trade(entry)
        await floor.reconcile()
        floor.faults(market_closed=True)
        (refused,) = await floor.trade(an_exit(entry))
        assert refused.status is OrderStatus.REJECTED
        assert floor.told(Severity.WARNING)
        assert floor.ledger.position(LG_CHEM).quantity > 0
        floor.faults(market_closed=None)
        await floor.trade(an_exit(entry))
        await floor.reconcile()
        assert floor.ledger.held_symbols == ()
        floor.assert_books_agree()


async def cancel(floor: KisFloor, order: Order) -> Order:
    """Cancel as the console does."""
    async with only_writer(floor.desk) as lease:
        return await cancel_order(
            floor.desk, lease, order.client_order_id, reason="told", pauses=(0.0,)
        )
