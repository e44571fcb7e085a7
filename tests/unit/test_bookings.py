"""This is notices and inquiry rows becoming fills: late for a moment perhaps, never counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import A_DAY, SETTLED, an_accepted_order, an_order, seoul
from trading.bookings import (
    Postponed,
    Terms,
    execution_from_notice,
    execution_from_row,
    order_after_row,
)
from trading.broker_books import BrokerOrder
from trading.costs import CostSchedule
from trading.executions import Execution, ExecutionSource
from trading.instruments import Instrument
from trading.notices import Notice, NoticeKind
from trading.orders import Order, OrderStatus

TERMS = Terms(Instrument(an_order().symbol, "LG화학"), CostSchedule(), A_DAY, SETTLED)
NUMBER = "0000000101"
LEAVING = an_accepted_order(NUMBER).request_cancel(at=seoul(A_DAY, "10:00"))


def a_notice(quantity: int = 5, price: int = 428_000, time: str = "100000") -> Notice:
    order = an_accepted_order(NUMBER)
    at = seoul(A_DAY, f"{time[:2]}:{time[2:4]}:{time[4:]}")
    return Notice(
        kind=NoticeKind.FILLED,
        broker_order_id=NUMBER,
        original_id="",
        symbol=order.symbol,
        side=order.side,
        order_type=order.intent.order_type,
        quantity=quantity,
        price=price,
        order_quantity=order.quantity,
        time_text=time,
        received_at=at + timedelta(milliseconds=300),
    )


def a_row(filled: int, value: int, *, quantity: int = 23, **changes: Any) -> BrokerOrder:
    order = an_accepted_order(NUMBER)
    row = BrokerOrder(
        broker_order_id=NUMBER,
        original_id="",
        branch="00950",
        symbol=order.symbol,
        side=order.side,
        order_type=order.intent.order_type,
        limit_price=order.intent.limit_price,
        quantity=quantity,
        filled_quantity=filled,
        filled_value=value,
        open_quantity=quantity - filled,
        canceled_quantity=0,
        rejected_quantity=0,
        ordered_at=seoul(A_DAY, "08:50"),
    )
    return replace(row, **changes)


def book(order: Order, execution: Execution) -> Order:
    return order.fill(execution.quantity, execution.value, at=execution.executed_at)


def test_a_notice_becomes_an_execution_with_its_charges() -> None:
    execution = execution_from_notice(an_accepted_order(NUMBER), [], a_notice(), TERMS)
    assert isinstance(execution, Execution)
    assert (execution.quantity, execution.value) == (5, 2_140_000)
    assert execution.price == 428_000
    assert (execution.commission, execution.tax) == (321, 0)
    assert execution.executed_at == seoul(A_DAY, "10:00:00")
    assert execution.settles_on == SETTLED


def test_the_same_notice_again_is_left_to_an_inquiry() -> None:
    order = an_accepted_order(NUMBER)
    first = execution_from_notice(order, [], a_notice(), TERMS)
    assert isinstance(first, Execution)
    again = execution_from_notice(book(order, first), [first], a_notice(), TERMS)
    assert isinstance(again, Postponed)


def test_a_row_books_exactly_what_is_missing() -> None:
    order = an_accepted_order(NUMBER)
    known = execution_from_notice(order, [], a_notice(5, 428_000), TERMS)
    assert isinstance(known, Execution)
    order = book(order, known)
    # The broker: 12 shares for 5,134,000; ours 5 for 2,140,000: 7 for 2,994,000 are missing.
    row = a_row(12, 5_134_000)
    missing = execution_from_row(order, row, TERMS, at=seoul(A_DAY, "10:01"))
    assert missing is not None
    assert (missing.quantity, missing.value) == (7, 2_994_000)
    assert missing.source is ExecutionSource.INQUIRY
    assert execution_from_row(book(order, missing), row, TERMS, at=seoul(A_DAY, "10:02")) is None


def test_a_row_behind_our_book_takes_nothing_back() -> None:
    order = an_accepted_order(NUMBER).fill(5, 2_140_000, at=seoul(A_DAY, "10:00"))
    assert execution_from_row(order, a_row(0, 0), TERMS, at=seoul(A_DAY, "10:01")) is None


def test_a_late_notice_of_what_an_inquiry_booked_is_not_booked_again() -> None:
    order = an_accepted_order(NUMBER)
    piece = execution_from_row(order, a_row(5, 2_140_000), TERMS, at=seoul(A_DAY, "10:00:30"))
    assert piece is not None
    late = execution_from_notice(book(order, piece), [piece], a_notice(time="100010"), TERMS)
    assert isinstance(late, Postponed)


def test_a_fill_after_the_inquiry_is_booked_from_its_notice() -> None:
    order = an_accepted_order(NUMBER)
    piece = execution_from_row(order, a_row(5, 2_140_000), TERMS, at=seoul(A_DAY, "10:00:30"))
    assert piece is not None
    newer = execution_from_notice(book(order, piece), [piece], a_notice(time="101500"), TERMS)
    assert isinstance(newer, Execution)


def test_a_notice_beyond_the_order_is_left_to_an_inquiry() -> None:
    assert isinstance(
        execution_from_notice(an_accepted_order(NUMBER), [], a_notice(24), TERMS), Postponed
    )


@pytest.mark.parametrize(
    ("order", "row", "is_day_over", "status"),
    [
        (an_accepted_order(NUMBER), a_row(0, 0), False, OrderStatus.ACCEPTED),
        (an_accepted_order(NUMBER), a_row(0, 0), True, OrderStatus.EXPIRED),
        (
            an_accepted_order(NUMBER),
            a_row(0, 0, rejected_quantity=23, open_quantity=0),
            False,
            OrderStatus.REJECTED,
        ),
        (
            an_accepted_order(NUMBER),
            a_row(0, 0, canceled_quantity=23, open_quantity=0),
            False,
            OrderStatus.CANCELED,
        ),
        (an_order().submit(at=seoul(A_DAY, "08:50")), a_row(0, 0), False, OrderStatus.ACCEPTED),
        # A row that is still open proves nothing about a cancel on its way: it may come late.
        (LEAVING, a_row(0, 0), False, OrderStatus.PENDING_CANCEL),
        (LEAVING, a_row(0, 0), True, OrderStatus.CANCELED),
        (
            LEAVING,
            a_row(0, 0, canceled_quantity=23, open_quantity=0),
            False,
            OrderStatus.CANCELED,
        ),
        (
            LEAVING,
            a_row(0, 0, rejected_quantity=23, open_quantity=0),
            False,
            OrderStatus.REJECTED,
        ),
    ],
)
def test_the_row_proves_the_state(
    *, order: Order, row: BrokerOrder, is_day_over: bool, status: OrderStatus
) -> None:
    after = order_after_row(order, row, is_day_over=is_day_over, at=seoul(A_DAY, "15:40"))
    assert after.status is status


def test_a_partial_fill_that_our_book_lacks_keeps_the_order_open_at_the_days_end() -> None:
    order = an_accepted_order(NUMBER)
    after = order_after_row(order, a_row(5, 2_140_000), is_day_over=True, at=seoul(A_DAY, "15:40"))
    assert after.status is OrderStatus.ACCEPTED
