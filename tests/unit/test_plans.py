"""This is planning a reconciliation: each step follows from a row, and from nothing less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import A_DAY, ACCOUNT, HYUNDAI, an_accepted_order, an_order, seoul
from tests.unit.test_bookings import LEAVING, NUMBER, TERMS, a_row
from trading.broker_books import BrokerOrder
from trading.doubts import Ground, Ruling, Verdict
from trading.errors import InvalidTransition
from trading.executions import ExecutionSource
from trading.manual_orders import (
    BEFORE_OPENING,
    MANUAL,
    is_adoptable,
    life_before_opening,
    life_of,
    manual_order,
    unexplained,
)
from trading.orders import ABSENT, Order, OrderStatus, Side
from trading.plans import (
    NEVER_FILLED,
    Act,
    end_past_day,
    follow_late_match,
    follow_row,
    follow_verdict,
)
from trading.reconciliation import Difference, DifferenceKind, is_pending

AT = seoul(A_DAY, "15:40")
DOUBTFUL = an_order().submit(at=seoul(A_DAY, "08:50"))
ABSENT_ORDER = DOUBTFUL.reject(ABSENT, "NOTHING_HELD", at=AT)


def followed(order: Order, row: BrokerOrder, *, is_day_over: bool = False) -> list[tuple[Act, str]]:
    steps = follow_row(order, row, TERMS, is_day_over=is_day_over, at=AT)
    return [(step.act, step.order.status) for step in steps]


def test_fills_come_before_the_state() -> None:
    row = a_row(10, 4_280_000, open_quantity=0, canceled_quantity=13)
    assert followed(LEAVING, row) == [(Act.BOOK, "PENDING_CANCEL"), (Act.CLOSE, "CANCELED")]
    assert followed(an_accepted_order(NUMBER), a_row(23, 9_844_000)) == [(Act.BOOK, "FILLED")]
    assert followed(an_accepted_order(NUMBER), a_row(0, 0), is_day_over=True) == [
        (Act.EXPIRE, "EXPIRED")
    ]


def test_a_row_that_shows_nothing_new_asks_for_no_step() -> None:
    assert followed(an_accepted_order(NUMBER), a_row(0, 0)) == []
    booked = an_accepted_order(NUMBER).fill(5, 2_140_000, at=AT)
    assert followed(booked, a_row(0, 0)) == []  # the row lags: nothing is taken back


def test_a_fill_that_overtook_the_cancel_leaves_the_order_closed() -> None:
    (step,) = follow_row(
        LEAVING.cancel(at=AT), a_row(5, 2_140_000), TERMS, is_day_over=False, at=AT
    )
    assert [state.status for state in step.states] == ["PARTIALLY_FILLED", "CANCELED"]
    assert step.execution
    assert step.execution.source is ExecutionSource.INQUIRY


def test_more_than_was_ordered_is_impossible() -> None:
    with pytest.raises(InvalidTransition):
        followed(an_accepted_order(NUMBER), a_row(24, 10_272_000, quantity=24))


@pytest.mark.parametrize(
    ("verdict", "acts"),
    [
        (Verdict(Ruling.BIND, Ground.ONE_ROW, (a_row(0, 0),)), [Act.BIND]),
        (Verdict(Ruling.ABSENT, Ground.NOTHING_HELD), [Act.ABSENT]),
        (Verdict(Ruling.KEEP, Ground.SEVERAL_ROWS, (a_row(0, 0), a_row(0, 0))), []),
        (Verdict(Ruling.KEEP, Ground.TOO_EARLY), []),
    ],
)
def test_a_verdict_is_carried_out_as_it_says(verdict: Verdict, acts: list[Act]) -> None:
    assert [step.act for step in follow_verdict(DOUBTFUL, verdict, at=AT)] == acts


@pytest.mark.parametrize(
    ("cancels", "row", "acts"),
    [
        (True, a_row(0, 0), [Act.FIND, Act.CANCEL]),
        (False, a_row(0, 0), [Act.FIND]),
        (True, a_row(23, 9_844_000, open_quantity=0), [Act.FIND]),
    ],
)
def test_only_what_is_open_of_a_late_match_is_canceled(
    *, cancels: bool, row: BrokerOrder, acts: list[Act]
) -> None:
    steps = follow_late_match(ABSENT_ORDER, [row], cancels=cancels, at=AT)
    assert [step.act for step in steps] == acts


@pytest.mark.parametrize("rows", [(), (a_row(0, 0), a_row(0, 0))])
def test_none_or_two_late_matches_find_nothing(rows: tuple[BrokerOrder, ...]) -> None:
    assert follow_late_match(ABSENT_ORDER, rows, cancels=True, at=AT) == ()


def test_a_past_day_closes_what_is_open_when_the_shares_agree() -> None:
    for order, status in ((an_accepted_order(), "EXPIRED"), (LEAVING, "CANCELED")):
        (step,) = end_past_day(order, is_proven=True, at=AT)
        assert step.order.status == status
        assert end_past_day(order, is_proven=False, at=AT) == ()
    (step,) = end_past_day(DOUBTFUL, is_proven=True, at=AT)
    assert (step.act, step.order.error_code) == (Act.ABSENT, NEVER_FILLED)
    assert end_past_day(ABSENT_ORDER, is_proven=True, at=AT) == ()


def by_hand(**changes: Any) -> BrokerOrder:
    row = a_row(10, 4_280_000, is_ours=False, broker_order_id="0000000777")
    return replace(row, **changes)


def test_a_row_is_explained_by_its_order_and_by_the_order_that_it_changes() -> None:
    changed = by_hand(broker_order_id="0000000778", original_id="0000000777")
    assert unexplained([by_hand(), changed], []) == (by_hand(),)
    assert unexplained([by_hand()], [an_accepted_order("0000000777")]) == ()


@pytest.mark.parametrize(
    ("row", "orders", "is_adopted"),
    [
        (by_hand(), [], True),
        (by_hand(filled_quantity=0), [], False),  # rows come and go that nothing explains
        (by_hand(), [DOUBTFUL], True),  # by hand for certain
        (by_hand(is_ours=True), [], True),
        (by_hand(is_ours=True), [DOUBTFUL], False),
        (by_hand(is_ours=True), [ABSENT_ORDER], False),
        (by_hand(is_ours=True, side=Side.SELL), [DOUBTFUL], True),
        (by_hand(is_ours=True, symbol=HYUNDAI), [DOUBTFUL], True),
    ],
)
def test_only_what_has_traded_and_cannot_be_ours_is_adopted(
    row: BrokerOrder, orders: list[Order], *, is_adopted: bool
) -> None:
    assert is_adoptable(row, orders) is is_adopted


def test_an_order_by_hand_keeps_its_own_name_and_number() -> None:
    order = manual_order(by_hand(), trading_day=A_DAY, channel="dev", account=ACCOUNT)
    assert order.client_order_id == "20180116-051910-B-hand-0000000777"
    assert order.intent.strategy_id == MANUAL
    states = life_of(order, by_hand())
    assert [state.status for state in states] == ["INITIALIZED", "SUBMITTED", "ACCEPTED"]
    closed = life_before_opening(order, by_hand())[-1]
    assert (closed.status, closed.error_code) == (OrderStatus.CANCELED, BEFORE_OPENING)


OPEN = an_accepted_order(NUMBER)
UNPROVEN = an_accepted_order(NUMBER).fill(5, 2_140_000, at=AT)


@pytest.mark.parametrize(
    ("order", "theirs", "explained"),
    [
        (OPEN, 23, True),
        (OPEN, 24, False),
        (OPEN, -1, False),
        (an_accepted_order(NUMBER, side=Side.SELL), -23, True),
        (an_accepted_order(NUMBER, side=Side.SELL), -24, False),
        (UNPROVEN, -5, True),  # we know of a fill that neither rows nor shares show yet
        (UNPROVEN, -6, False),
        (UNPROVEN, 18, True),
        (UNPROVEN, 19, False),
        (replace(OPEN, status=OrderStatus.CANCELED), 1, False),
    ],
)
def test_what_is_on_its_way_explains_so_many_shares_and_no_more(
    order: Order, theirs: int, *, explained: bool
) -> None:
    symbol = order.symbol
    difference = Difference(DifferenceKind.POSITION, symbol, "100", str(100 + theirs), symbol)
    assert is_pending(difference, [order], [a_row(0, 0)]) is explained
    elsewhere = replace(difference, symbol=HYUNDAI)
    assert not is_pending(elsewhere, [order], [a_row(0, 0)])
