"""This is canceling and changing at KIS over the simulator: its book says what happened, and happened once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tasks.cancellations import cancel_order, modify_order
from tasks.writers import only_writer
from tests.builders import a_signal
from tests.kis_floors import KisFloor, a_kis_floor
from trading.orders import Order, OrderStatus

PAUSES = (0.0, 0.05, 0.05)


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[KisFloor]:
    """A desk on the simulator at 08:50, both books equal."""
    async with a_kis_floor(tmp_path) as floor:
        yield floor


async def resting(floor: KisFloor) -> Order:
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED
    return order


async def cancel(floor: KisFloor, order: Order) -> Order:
    async with only_writer(floor.desk) as lease:
        return await cancel_order(
            floor.desk, lease, order.client_order_id, reason="test", pauses=PAUSES
        )


async def modify(floor: KisFloor, order: Order, **changes: Any) -> Order:
    async with only_writer(floor.desk) as lease:
        return await modify_order(
            floor.desk, lease, order.client_order_id, pauses=PAUSES, **changes
        )


def acts(floor: KisFloor) -> list[str]:
    return [order["act"] for order in floor.truth]


@pytest.mark.parametrize("fault", [{}, {"reply_lost": True}, {"timeout_after_accept": True}])
async def test_a_cancel_happens_once_whatever_becomes_of_its_reply(
    floor: KisFloor, fault: dict[str, Any]
) -> None:
    order = await resting(floor)
    floor.faults(**fault)
    after = await cancel(floor, order)
    assert after.status is OrderStatus.CANCELED
    assert acts(floor) == ["NEW", "CANCEL"]
    assert floor.ledger.held_cash == 0


async def test_a_throttled_cancel_is_sent_again(floor: KisFloor) -> None:
    order = await resting(floor)
    floor.faults(throttled={"count": 1, "trs": ["order-rvsecncl"]})
    assert (await cancel(floor, order)).status is OrderStatus.CANCELED
    assert acts(floor) == ["NEW", "CANCEL"]


async def test_a_change_leaves_one_order_alive(floor: KisFloor) -> None:
    """Incident 8: a modify during an outage left two live orders."""
    order = await resting(floor)
    price = (order.intent.limit_price or 0) - 5_000
    new = await modify(floor, order, price=price)
    assert (new.status, new.quantity) == (OrderStatus.ACCEPTED, order.quantity)
    assert acts(floor) == ["NEW", "CANCEL", "NEW"]
    assert [row["open_quantity"] for row in floor.truth] == [0, 0, order.quantity]


async def test_a_change_whose_new_order_is_in_doubt_blocks_the_next(floor: KisFloor) -> None:
    order = await resting(floor)
    floor.faults(reply_lost={"trs": ["order-cash"]})
    price = (order.intent.limit_price or 0) - 5_000
    new = await modify(floor, order, price=price)
    assert new.status is OrderStatus.SUBMITTED
    floor.faults(reply_lost=None)
    assert await floor.trade(a_signal()) == ()
    await floor.reconcile()
    assert floor.orders[-1].status is OrderStatus.ACCEPTED
    assert acts(floor) == ["NEW", "CANCEL", "NEW"]


async def test_what_filled_before_the_cancel_arrived_is_booked(floor: KisFloor) -> None:
    order = await resting(floor)
    await floor.to("09:01")
    after = await cancel(floor, order)
    filled = sum(row["filled_quantity"] for row in floor.truth)
    assert filled > 0
    assert (after.is_open, after.filled_quantity) == (False, filled)
    floor.assert_books_agree()
