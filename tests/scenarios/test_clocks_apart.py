"""This is a broker whose clock is not ours: as far apart as nothing stops trading yet, nothing is doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor
from tests.scenarios.test_searching import TIMED_OUT, look_at
from trading.orders import OrderStatus


@pytest.mark.parametrize("seconds", [-2, -3, -5, -60, 5, 60])
async def test_an_order_that_is_in_the_book_is_never_called_absent(
    floor: Floor, seconds: int
) -> None:
    """The reply is lost, and the broker's clock is so many seconds ahead; the strategy still wants to buy."""
    await floor.open("10:00:00")
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.lost_reply = None
    floor.broker.shift(floor.broker.book[-1].broker_order_id, by=timedelta(seconds=seconds))
    await look_at(floor, "10:00:02", "10:00:10", "10:01")
    await floor.trade(a_signal(symbol=SAMSUNG))  # the control
    await look_at(floor, "10:01:20", "10:02", "10:04", "10:06", "10:08")
    floor.print(410_000, 1)  # another price, so that a new order would be no equal one
    await floor.trade(a_signal())

    assert [row.symbol for row in floor.broker.book].count(LG_CHEM) == 1
    assert floor.order(0).status in {OrderStatus.SUBMITTED, OrderStatus.ACCEPTED}


@pytest.mark.parametrize("seconds", [5, 6, 7, 30, 59])
@pytest.mark.parametrize("delay", [0, 20])
async def test_a_fill_that_an_inquiry_booked_is_not_booked_again_from_its_notice(
    floor: Floor, seconds: int, delay: int
) -> None:
    await floor.open("10:00:00")
    await floor.trade(a_signal())
    floor.at("10:00:10")
    (notice,) = floor.print(401_000, 100)
    told = replace(notice, time_text=f"1000{10 + seconds:02d}" if seconds < 50 else "100109")
    await floor.reconcile()
    floor.clock.move_to(floor.clock.now() + timedelta(seconds=delay))
    floor.hear(replace(told, received_at=floor.clock.now()))

    assert floor.order().filled_quantity == floor.broker.book[0].filled_quantity == 10
