"""This is what something newer has overtaken: numbers, halts, holdings, exits and notices that count no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.cancellations import cancel_order
from tasks.halts import put_halt
from tasks.resumptions import resume
from tasks.signals import guarded_positions
from tasks.writers import only_writer
from tests.builders import HYUNDAI, LG_CHEM, a_signal, seoul
from tests.desks import Floor, a_floor, an_exit
from trading.errors import BadInput
from trading.halts import Halt, TradingState
from trading.notices import NoticeKind
from trading.orders import OrderStatus, Side


async def test_a_cancel_never_names_a_number_of_another_day(floor: Floor) -> None:
    """KIS numbers begin again every day: yesterday's belongs to another order today."""
    await floor.open()
    (old,) = await floor.trade(a_signal())
    tomorrow = floor.night()  # nobody has reconciled after the close
    floor.at("09:10", tomorrow)
    number = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000)
    assert number == old.broker_order_id
    with pytest.raises(BadInput):
        async with only_writer(floor.desk) as lease:
            await cancel_order(
                floor.desk, lease, old.client_order_id, reason="old", pauses=(0.0, 0.0)
            )
    assert [row.open_quantity for row in floor.broker.book] == [1]


async def test_a_halt_put_while_a_resume_compares_stays(floor: Floor) -> None:
    await floor.open()

    def halt(reason: str) -> Halt:
        return Halt("operator", TradingState.HALTED, reason, floor.clock.now())

    put_halt.fn(floor.desk, halt("first"))

    async def stop_again() -> None:
        floor.at("10:01")
        put_halt.fn(floor.desk, halt("second"))

    floor.at("10:00")
    floor.broker.on_inquiry.append(stop_again)
    await resume.fn(floor.desk, reason="the first is settled")
    with floor.stores.begin() as work:
        assert [each.reason for each in floor.desk.halts(work)] == ["second"]


async def test_what_the_owner_sold_by_hand_does_not_come_back_with_anothers_shares(
    floor: Floor,
) -> None:
    entry = await floor.hold()
    await floor.broker.place_by_hand(LG_CHEM, Side.SELL, 24, 399_000)
    floor.print(399_000)
    assert (await floor.reconcile()).is_clean
    assert floor.ledger.position(LG_CHEM).quantity == 0
    (other,) = await floor.trade(a_signal(strategy_id="swing", reference_price=399_000))
    assert other.status is OrderStatus.ACCEPTED
    floor.at("10:05")
    floor.hear(*floor.print(399_000))
    assert floor.order().status is OrderStatus.FILLED
    assert [each.settings.id for each in guarded_positions(floor.desk)] == ["swing"]
    assert await floor.trade(an_exit(entry)) == ()


async def test_a_stop_is_not_in_the_way_of_itself_after_a_target_was_changed_by_hand(
    tmp_path: Path,
) -> None:
    floor = a_floor(tmp_path, sizing={"exit_type": "LIMIT"})
    entry = await floor.hold()
    (target,) = await floor.trade(an_exit(entry, "target"))
    assert target.status is OrderStatus.ACCEPTED
    floor.broker.modify_by_hand(target.broker_order_id, price=430_000)
    await floor.reconcile()
    stopped = await floor.trade(an_exit(entry))
    assert [(order.side, order.quantity) for order in stopped] == [(Side.SELL, 24)]


async def test_a_fill_for_nothing_that_came_early_keeps_nobody_from_reconciling(
    floor: Floor,
) -> None:
    await floor.open()

    def tell_early() -> None:
        (row,) = floor.broker.book
        fill = floor.broker.notice_of(row, NoticeKind.FILLED, quantity=1, price=0)
        floor.hear(fill)

    floor.broker.after_place.append(tell_early)
    await floor.trade(a_signal())
    assert (await floor.reconcile()).is_clean
    floor.at("09:00")
    floor.print(401_000, auction=True)
    assert (await floor.reconcile()).is_clean
    assert floor.order().status is OrderStatus.FILLED


async def test_an_exit_that_is_done_sells_nothing_that_was_bought_after_it(floor: Floor) -> None:
    """A strategy of minutes leaves in the morning what it held over night, and comes back at eleven."""
    entry = await floor.hold()
    day = floor.night()
    await floor.open("08:50", day)
    until: dict[str, Any] = {"trading_day": day, "expires_at": seoul(day, "15:30")}
    leaving = replace(an_exit(entry, "cross"), created_at=seoul(day, "10:00"), **until)
    floor.at("10:00")
    (sold,) = await floor.trade(leaving)
    floor.hear(*floor.print(400_000))
    assert floor.order().status is OrderStatus.FILLED
    floor.at("11:00")
    (bought,) = await floor.trade(a_signal(created_at=seoul(day, "11:00"), **until))
    floor.hear(*floor.print(400_000))
    assert floor.order().status is OrderStatus.FILLED
    floor.at("11:01")
    assert await floor.trade(leaving) == ()  # as the next minute gives every exit of the day again
    again = replace(leaving, created_at=seoul(day, "11:02"))
    floor.at("11:02")
    assert [order.side for order in await floor.trade(again)] == [Side.SELL]
    assert (sold.quantity, bought.side) == (24, Side.BUY)
