"""This is canceling and changing one order: committed first, believed from the row alone, never two for one."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.memory.stores import MemoryStores
from adapters.notifier import Severity
from tasks.cancellations import CANCEL_ATTEMPTS, cancel_order, modify_order
from tasks.writers import only_writer
from tests.builders import LG_CHEM, a_signal, seoul
from tests.desks import Floor
from trading.broker_books import BrokerOrder
from trading.errors import BadInput, LeaseLost, OutcomeUnknown, Rejected, Throttled
from trading.notices import NoticeKind
from trading.orders import Order, OrderStatus

NO_PAUSES = (0.0, 0.0)
UNKNOWN = OutcomeUnknown("no answer")


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


async def cancel(floor: Floor, order: Order) -> Order:
    async with only_writer(floor.desk) as lease:
        return await cancel_order(
            floor.desk, lease, order.client_order_id, reason="test", pauses=NO_PAUSES
        )


async def modify(floor: Floor, order: Order, **changes: Any) -> Order:
    async with only_writer(floor.desk) as lease:
        return await modify_order(
            floor.desk, lease, order.client_order_id, pauses=NO_PAUSES, **changes
        )


async def resting(floor: Floor) -> Order:
    """Give an accepted buy of 24 LG Chem at 404,000, in the opening auction."""
    await floor.open()
    (order,) = await floor.trade(a_signal())
    return order


async def parted(floor: Floor) -> Order:
    """Give the same with 10 shares filled at 401,000; it is 09:00."""
    await resting(floor)
    floor.at("09:00")
    floor.hear(*floor.print(401_000, 100, auction=True))
    return floor.order()


def statuses(floor: Floor, order: Order) -> list[str]:
    with floor.stores.begin() as work:
        return [event.status for event in work.orders.timeline(order.client_order_id)]


def open_rows(floor: Floor) -> list[BrokerOrder]:
    return [row for row in floor.broker.book if row.open_quantity]


async def test_a_canceled_order_is_closed_and_frees_its_cash(floor: Floor) -> None:
    order = await resting(floor)
    after = await cancel(floor, order)
    assert (after.status, after.filled_quantity) == (OrderStatus.CANCELED, 0)
    assert statuses(floor, order)[-2:] == ["PENDING_CANCEL", "CANCELED"]
    assert (open_rows(floor), floor.ledger.held_cash) == ([], 0)
    assert (await floor.reconcile()).is_clean


async def test_the_wish_is_committed_before_the_cancel_leaves(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.on_cancel.append(lambda: seen.append(floor.order().status))
    seen: list[OrderStatus] = []
    await cancel(floor, order)
    assert seen == [OrderStatus.PENDING_CANCEL]


async def test_of_a_partly_filled_order_only_the_rest_is_canceled(floor: Floor) -> None:
    after = await cancel(floor, await parted(floor))
    assert (after.status, after.filled_quantity) == (OrderStatus.CANCELED, 10)
    assert floor.ledger.position(LG_CHEM).quantity == 10
    assert floor.ledger.held_cash == 0
    floor.assert_books_agree()


async def test_a_fill_that_overtakes_the_cancel_counts(floor: Floor) -> None:
    """Incident 13b: an orphan fill at cancel was dropped."""
    order = await resting(floor)
    floor.at("09:00")
    floor.broker.on_cancel.append(lambda: floor.print(401_000, 100, auction=True))
    after = await cancel(floor, order)
    assert (after.status, after.filled_quantity) == (OrderStatus.CANCELED, 10)
    floor.assert_books_agree()


async def test_a_cancel_refused_because_the_order_filled_leaves_it_filled(floor: Floor) -> None:
    order = await resting(floor)
    floor.at("09:00")
    floor.broker.on_cancel.append(lambda: floor.print(401_000, auction=True))
    after = await cancel(floor, order)
    assert (after.status, after.filled_quantity) == (OrderStatus.FILLED, 24)
    assert len(floor.broker.sent_cancels) == 1
    assert floor.titles(Severity.CRITICAL) == ()
    floor.assert_books_agree()


async def test_a_cancel_whose_reply_is_lost_is_proven_by_the_row(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.lost_cancel_reply = UNKNOWN
    assert (await cancel(floor, order)).status is OrderStatus.CANCELED
    assert len(floor.broker.sent_cancels) == 1


async def test_a_cancel_that_never_arrives_stays_asked_for_and_the_next_run_goes_on(
    floor: Floor,
) -> None:
    order = await resting(floor)
    floor.broker.cancel_refusal = UNKNOWN
    after = await cancel(floor, order)
    assert after.status is OrderStatus.PENDING_CANCEL
    assert len(floor.broker.sent_cancels) == CANCEL_ATTEMPTS
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1
    assert floor.ledger.held_cash > 0  # it may still fill

    floor.broker.cancel_refusal = None
    await floor.trade()
    assert floor.order().status is OrderStatus.CANCELED
    assert open_rows(floor) == []


async def test_what_fills_while_a_cancel_is_in_doubt_is_booked(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.cancel_refusal = UNKNOWN
    await cancel(floor, order)
    floor.at("09:00")
    floor.hear(*floor.print(401_000, auction=True))
    assert floor.order().status is OrderStatus.FILLED
    floor.assert_books_agree()


async def test_a_part_that_fills_does_not_make_the_wish_forgotten(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.cancel_refusal = UNKNOWN
    floor.at("09:00")
    floor.broker.on_inquiry.append(lambda: _once(floor))
    after = await cancel(floor, order)
    assert (after.status, after.filled_quantity) == (OrderStatus.PENDING_CANCEL, 10)
    floor.broker.cancel_refusal = None
    await floor.trade()
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.CANCELED, 10)
    floor.assert_books_agree()


async def _once(floor: Floor) -> None:
    """Let 10 shares trade, seen by the inquiry after this one."""
    floor.broker.on_inquiry.clear()
    floor.print(401_000, 100, auction=True)


async def test_a_cancel_that_is_certainly_refused_leaves_the_order_as_it_was(floor: Floor) -> None:
    order = await parted(floor)
    floor.broker.cancel_refusal = Throttled("too fast", code="EGW00201")
    after = await cancel(floor, order)
    assert (after.status, after.open_quantity) == (OrderStatus.PARTIALLY_FILLED, 14)
    assert len(floor.broker.sent_cancels) == CANCEL_ATTEMPTS
    (told,) = floor.notifier.of(Severity.CRITICAL)
    assert "EGW00201" in told.text


async def test_a_cancel_before_the_exchange_knows_the_order_is_sent_again(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.cancel_refusal = Rejected("미접수 주문입니다", code="APBK0919")

    async def arrive() -> None:
        floor.broker.cancel_refusal = None

    floor.broker.on_inquiry.append(arrive)
    assert (await cancel(floor, order)).status is OrderStatus.CANCELED
    assert len(floor.broker.sent_cancels) == 2


async def test_a_process_that_dies_before_or_after_the_cancel_is_followed_by_one_that_goes_on(
    floor: Floor,
) -> None:
    order = await resting(floor)
    floor.broker.cancel_refusal = Killed()
    with pytest.raises(Killed):
        await cancel(floor, order)
    floor.broker.cancel_refusal = None
    assert floor.order().status is OrderStatus.PENDING_CANCEL
    await floor.trade()
    assert floor.order().status is OrderStatus.CANCELED
    (row, _) = floor.broker.book
    assert (row.canceled_quantity, row.open_quantity) == (24, 0)


async def test_an_exchange_that_refuses_after_acceptance_ends_a_pending_cancel(
    floor: Floor,
) -> None:
    order = await resting(floor)
    floor.broker.on_cancel.append(lambda: floor.broker.refuse_later(order.broker_order_id))
    after = await cancel(floor, order)
    assert (after.status, after.error_code) == (OrderStatus.REJECTED, "EXCHANGE")
    assert floor.ledger.held_cash == 0


async def test_an_exchange_that_refuses_after_acceptance_frees_the_cash(floor: Floor) -> None:
    order = await resting(floor)
    row = floor.broker.refuse_later(order.broker_order_id)
    floor.hear(floor.broker.notice_of(row, NoticeKind.REJECTED))
    assert floor.order().status is OrderStatus.REJECTED
    assert floor.ledger.held_cash == 0
    assert await floor.trade(a_signal()) == ()  # judged and refused: not tried anew


async def test_what_is_in_doubt_or_unknown_cannot_be_canceled(floor: Floor) -> None:
    await floor.open()
    floor.broker.refusal = UNKNOWN
    (order,) = await floor.trade(a_signal())
    with pytest.raises(BadInput, match="SUBMITTED"):
        await cancel(floor, order)
    async with only_writer(floor.desk) as lease:
        with pytest.raises(BadInput, match="no such order"):
            await cancel_order(floor.desk, lease, "nothing", reason="test")
    assert floor.broker.sent_cancels == []


async def test_canceling_what_is_closed_changes_nothing(floor: Floor) -> None:
    order = await resting(floor)
    await cancel(floor, order)
    again = await cancel(floor, order)
    assert again.status is OrderStatus.CANCELED
    assert len(floor.broker.sent_cancels) == 1


async def test_a_writer_that_lost_its_lease_cancels_nothing(floor: Floor) -> None:
    order = await resting(floor)
    assert isinstance(floor.stores, MemoryStores)
    async with only_writer(floor.desk) as lease:
        floor.stores.abandon("orders")
        with pytest.raises(LeaseLost):
            await cancel_order(floor.desk, lease, order.client_order_id, reason="test")
    assert floor.broker.sent_cancels == []
    assert floor.order().status is OrderStatus.ACCEPTED


# Changing


async def test_a_change_is_a_cancel_and_a_new_order_of_the_same_decision(floor: Floor) -> None:
    order = await resting(floor)
    new = await modify(floor, order, price=399_000)
    assert (new.status, new.quantity, new.intent.limit_price) == (
        OrderStatus.ACCEPTED,
        24,
        399_000,
    )
    assert new.intent.signal_id == order.intent.signal_id
    assert new.client_order_id != order.client_order_id
    assert [o.status for o in floor.orders] == [OrderStatus.CANCELED, OrderStatus.ACCEPTED]
    (row,) = open_rows(floor)
    assert (row.limit_price, row.original_id) == (399_000, "")  # never the broker's own modify
    assert await floor.trade(a_signal()) == ()
    assert (await floor.reconcile()).is_clean


async def test_a_change_of_a_partly_filled_order_orders_what_is_left_and_no_more(
    floor: Floor,
) -> None:
    order = await parted(floor)
    new = await modify(floor, order, price=399_000, quantity=20)
    assert (new.quantity, floor.order(0).filled_quantity) == (14, 10)


async def test_a_change_may_make_an_order_smaller(floor: Floor) -> None:
    new = await modify(floor, await resting(floor), quantity=5)
    assert (new.quantity, new.intent.limit_price) == (5, 404_000)


async def test_what_fills_while_it_is_changed_is_not_ordered_again(floor: Floor) -> None:
    """Incident 8: a modify during an outage left two live orders."""
    order = await resting(floor)
    floor.at("09:00")
    floor.broker.on_cancel.append(lambda: floor.print(401_000, 100, auction=True))
    new = await modify(floor, order, price=400_000)
    assert floor.order(0).filled_quantity + new.quantity == 24
    floor.broker.on_cancel.clear()

    floor.broker.on_cancel.append(lambda: floor.print(399_500))
    last = await modify(floor, new, price=399_000)
    assert (last.client_order_id, last.status) == (new.client_order_id, OrderStatus.FILLED)
    assert floor.ledger.position(LG_CHEM).quantity == 24
    floor.assert_books_agree()


async def test_a_change_whose_cancel_is_in_doubt_makes_no_new_order(floor: Floor) -> None:
    """Incident 8."""
    order = await resting(floor)
    floor.broker.cancel_refusal = UNKNOWN
    same = await modify(floor, order, price=399_000)
    assert (same.client_order_id, same.status) == (
        order.client_order_id,
        OrderStatus.PENDING_CANCEL,
    )
    assert len(floor.broker.sent) == 1


async def test_a_change_passes_the_gate_as_any_order(floor: Floor) -> None:
    order = await resting(floor)
    floor.broker.on_cancel.append(floor.desk.halt_file.path.touch)
    new = await modify(floor, order, price=399_000)
    assert new.status is OrderStatus.DENIED
    assert open_rows(floor) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": 399_100}, "price"),
        ({"price": 900_000}, "price"),
        ({"quantity": 0}, "quantity"),
    ],
)
async def test_a_change_that_would_be_refused_anyway_gives_nothing_up(
    floor: Floor, changes: dict[str, int], field: str
) -> None:
    order = await resting(floor)
    with pytest.raises(BadInput, match=field):
        await modify(floor, order, **changes)
    assert floor.order().status is OrderStatus.ACCEPTED
    assert floor.broker.sent_cancels == []


async def test_an_order_of_an_expired_signal_cannot_be_changed(floor: Floor) -> None:
    await floor.open()
    day = floor.desk.today()
    (order,) = await floor.trade(a_signal(expires_at=seoul(day, "09:00")))
    floor.at("09:00")
    with pytest.raises(BadInput, match="signal"):
        await modify(floor, order, price=399_000)
    assert floor.broker.sent_cancels == []


async def test_a_signal_that_expires_while_its_order_is_cancelled_gives_no_new_one(
    floor: Floor,
) -> None:
    await floor.open()
    (order,) = await floor.trade(a_signal(expires_at=seoul(floor.desk.today(), "09:00")))
    floor.at("08:59:50")
    floor.broker.on_cancel.append(lambda: floor.at("09:00"))
    same = await modify(floor, order, price=399_000)
    assert (same.client_order_id, same.status) == (order.client_order_id, OrderStatus.CANCELED)
    assert len(floor.broker.sent) == 1
