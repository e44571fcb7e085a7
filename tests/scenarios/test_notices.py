"""This is the broker's notices, one by one: booked once, in whatever order they come, the rest left open."""

from __future__ import annotations

from dataclasses import replace

from adapters.notifier import Severity
from tasks.fills import NoticeOutcome
from tests.builders import LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor
from trading.notices import NoticeKind
from trading.orders import OrderStatus


async def test_partial_fills_add_up_and_the_rest_is_still_open(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.hear(*floor.print(401_000, 100, auction=True))
    assert (floor.order().status, floor.order().open_quantity) == (OrderStatus.PARTIALLY_FILLED, 14)
    assert floor.ledger.held_cash == 14 * 404_000
    floor.at("09:30")
    floor.hear(*floor.print(404_000, 50))
    floor.at("09:31")
    floor.hear(*floor.print(403_000, 900))
    assert floor.order().status is OrderStatus.FILLED
    # 10 at the auction's 401,000, then 5 and 9 at its own limit, as an order that rests.
    assert [(fill.quantity, fill.value) for fill in floor.executions] == [
        (10, 4_010_000),
        (5, 2_020_000),
        (9, 3_636_000),
    ]
    floor.assert_books_agree()


async def test_two_equal_fills_in_one_second_are_both_booked_in_the_end(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00:01")
    first = floor.print(401_000, 50)
    floor.hear(*first)
    floor.hear(*floor.print(404_000, 50))
    outcomes = floor.hear(*floor.print(404_000, 50))
    assert outcomes == (NoticeOutcome.NEEDS_INQUIRY,)
    assert floor.order().filled_quantity == 10
    await floor.reconcile()
    assert floor.order().filled_quantity == 15
    floor.assert_books_agree()


async def test_a_fill_after_a_cancel_counts_and_the_rest_stays_canceled(floor: Floor) -> None:
    """Incident 13b: an orphan fill at cancel was dropped."""
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    late = floor.print(401_000, 100, auction=True)
    (row,) = floor.broker.book
    await floor.broker.cancel(
        broker_order_id=row.broker_order_id, branch=row.branch, order_type=row.order_type
    )
    cancel = floor.broker.notice_of(floor.broker.book[-1], NoticeKind.CANCELED)
    assert floor.hear(cancel) == (NoticeOutcome.NEEDS_INQUIRY,)  # 14 canceled, we know of 24 open
    assert floor.hear(*late, cancel) == (NoticeOutcome.APPLIED, NoticeOutcome.APPLIED)
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.CANCELED, 10)
    assert (await floor.reconcile()).is_clean
    floor.assert_books_agree()


async def test_a_fill_that_comes_after_its_orders_cancel_leaves_it_closed(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    late = floor.print(401_000, 100, auction=True)
    (row,) = floor.broker.book
    whole = floor.broker.notice_of(row, NoticeKind.CANCELED)
    floor.hear(whole, *late)
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.CANCELED, 10)
    assert floor.ledger.held_cash == 0
    assert floor.ledger.position(LG_CHEM).quantity == 10


async def test_the_exchange_refuses_what_the_broker_accepted(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=SAMSUNG))
    row = floor.broker.refuse_later("0000000001")
    refusal = floor.broker.notice_of(row, NoticeKind.REJECTED)
    floor.hear(refusal, refusal)
    assert len(floor.notifier.of(Severity.WARNING)) == 1
    floor.broker.refuse_later("0000000002")  # its notice is lost
    await floor.reconcile()
    assert [(order.status, order.error_code) for order in floor.orders] == [
        (OrderStatus.REJECTED, "EXCHANGE"),
        (OrderStatus.REJECTED, "EXCHANGE"),
    ]
    assert floor.ledger.held_cash == 0
    assert await floor.trade(a_signal()) == ()


async def test_a_notice_of_a_modify_by_hand_is_left_to_an_inquiry(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.modify_by_hand(floor.order().broker_order_id, price=400_000)
    notice = floor.broker.notice_of(floor.broker.book[-1], NoticeKind.MODIFIED)
    assert floor.hear(notice) == (NoticeOutcome.NEEDS_INQUIRY,)
    unknown = replace(notice, kind=NoticeKind.FILLED, quantity=5)
    assert floor.hear(unknown) == (NoticeOutcome.UNKNOWN_ORDER,)
