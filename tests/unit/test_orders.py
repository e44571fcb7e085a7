"""This is the order's life: the transition table as data, and what no path may break."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.builders import a_signal, an_accepted_order, an_intent, an_order
from trading.errors import BadInput, InvalidTransition
from trading.orders import (
    ABSENT,
    OPEN_STATUSES,
    TRANSITIONS,
    Order,
    OrderStatus,
    OrderType,
    Side,
    client_order_id,
)

S = OrderStatus
AT = an_intent().created_at + timedelta(minutes=5)

# Typed again from the table in CONTRIBUTING.md, so that a slip in one of the two is seen.
LISTED = {
    (S.INITIALIZED, S.DENIED),
    (S.INITIALIZED, S.SUBMITTED),
    (S.SUBMITTED, S.ACCEPTED),
    (S.SUBMITTED, S.REJECTED),
    (S.SUBMITTED, S.PARTIALLY_FILLED),
    (S.SUBMITTED, S.FILLED),
    (S.SUBMITTED, S.CANCELED),
    (S.ACCEPTED, S.PARTIALLY_FILLED),
    (S.ACCEPTED, S.FILLED),
    (S.ACCEPTED, S.PENDING_CANCEL),
    (S.ACCEPTED, S.CANCELED),
    (S.ACCEPTED, S.EXPIRED),
    (S.ACCEPTED, S.REJECTED),
    (S.PARTIALLY_FILLED, S.PARTIALLY_FILLED),
    (S.PARTIALLY_FILLED, S.FILLED),
    (S.PARTIALLY_FILLED, S.PENDING_CANCEL),
    (S.PARTIALLY_FILLED, S.CANCELED),
    (S.PARTIALLY_FILLED, S.EXPIRED),
    (S.PENDING_CANCEL, S.CANCELED),
    (S.PENDING_CANCEL, S.PARTIALLY_FILLED),
    (S.PENDING_CANCEL, S.FILLED),
    (S.PENDING_CANCEL, S.ACCEPTED),
    (S.PENDING_CANCEL, S.REJECTED),
    (S.CANCELED, S.PARTIALLY_FILLED),
    (S.CANCELED, S.FILLED),
    (S.EXPIRED, S.PARTIALLY_FILLED),
    (S.EXPIRED, S.FILLED),
    (S.REJECTED, S.ACCEPTED),
}


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_only_listed_transitions_are_allowed(before: OrderStatus, after: OrderStatus) -> None:
    assert (after in TRANSITIONS[before]) == ((before, after) in LISTED)


def test_a_denied_order_is_never_sent() -> None:
    with pytest.raises(InvalidTransition, match="DENIED -> SUBMITTED"):
        an_order().deny("weight", at=AT).submit(at=AT)


@pytest.mark.parametrize(("filled", "status"), [(0, S.ACCEPTED), (4, S.PARTIALLY_FILLED)])
def test_a_refused_cancel_leaves_the_order_as_it_was(filled: int, status: OrderStatus) -> None:
    order = an_accepted_order(quantity=10)
    order = order.fill(filled, filled * 428_500, at=AT) if filled else order
    back = order.request_cancel(at=AT).refuse_cancel(at=AT)
    assert (back.status, back.open_quantity) == (status, 10 - filled)


def test_two_partial_fills_make_a_filled_order_with_an_exact_average() -> None:
    order = an_accepted_order(quantity=10)
    half = order.fill(4, 4 * 428_500, at=AT)
    whole = half.fill(6, 6 * 428_000, at=AT)
    assert (half.status, half.open_quantity) == (S.PARTIALLY_FILLED, 6)
    assert (whole.status, whole.open_quantity) == (S.FILLED, 0)
    assert whole.filled_value == 4_282_000
    assert whole.average_price == 428_200


@pytest.mark.parametrize("quantity", [0, -1, 24])
def test_a_fill_beyond_the_order_is_refused(quantity: int) -> None:
    with pytest.raises(InvalidTransition):
        an_accepted_order(quantity=23).fill(quantity, 428_500, at=AT)


def test_a_fill_after_a_cancel_counts() -> None:
    canceled = an_accepted_order(quantity=10).request_cancel(at=AT).cancel(at=AT)
    late = canceled.fill(3, 3 * 428_500, at=AT)
    assert late.status is S.PARTIALLY_FILLED
    assert late.filled_quantity == 3


def test_the_reply_after_the_fill_only_adds_the_number() -> None:
    sent = an_order(quantity=5).submit(at=AT)
    filled = sent.fill(5, 5 * 428_500, at=AT)
    stamped = filled.accept("0000000101", branch="00950", at=AT)
    assert (stamped.status, stamped.broker_order_id) == (S.FILLED, "0000000101")


def test_an_order_declared_absent_lives_again_when_its_row_is_found() -> None:
    sent = an_order(quantity=5).submit(at=AT)
    found = sent.reject(ABSENT, "no scan shows it", at=AT).find("0000000101", branch="00950", at=AT)
    assert (found.status, found.broker_order_id, found.error_code) == (S.ACCEPTED, "0000000101", "")


@pytest.mark.parametrize("code", ["APBK0919", "EXCHANGE", "WITHHELD", "NEVER_FILLED", ""])
def test_a_refusal_that_the_broker_told_is_final(code: str) -> None:
    refused = an_order().submit(at=AT).reject(code, "no", at=AT)
    with pytest.raises(InvalidTransition):
        refused.find("0000000101", at=AT)
    with pytest.raises(InvalidTransition):
        refused.refuse_cancel(at=AT)


@pytest.mark.parametrize("status", [S.SUBMITTED, S.ACCEPTED, S.FILLED, S.CANCELED, S.DENIED])
def test_only_an_absent_order_is_found(status: OrderStatus) -> None:
    with pytest.raises(InvalidTransition, match="was not absent"):
        replace(an_order(), status=status, error_code=ABSENT).find("0000000101", at=AT)


def test_another_broker_number_is_refused() -> None:
    with pytest.raises(InvalidTransition, match="is bound"):
        an_accepted_order("0000000101").accept("0000000102", at=AT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"limit_price": None}, "limit_price"),
        ({"limit_price": 0}, "limit_price"),
        ({"order_type": OrderType.MARKET}, "limit_price"),
    ],
)
def test_an_impossible_intent_names_the_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        an_intent(**changes)
    assert caught.value.field == field


def test_the_same_decision_has_the_same_id_and_any_other_another() -> None:
    signal = a_signal()
    base = {
        "channel": "dev",
        "account": "50012345-01",
        "strategy_id": "trend",
        "symbol": signal.symbol,
        "side": Side.BUY,
        "trading_day": signal.trading_day,
        "signal_id": signal.signal_id,
        "sequence": 0,
    }
    others: list[dict[str, object]] = [
        {"channel": "live"},
        {"account": "50012345-22"},
        {"strategy_id": "other"},
        {"side": Side.SELL},
        {"trading_day": signal.trading_day + timedelta(days=1)},
        {"signal_id": "x"},
        {"sequence": 1},
    ]
    ids = {client_order_id(**{**base, **change}) for change in [{}, {}, *others]}  # type: ignore[arg-type]  # one dict, many types
    assert len(ids) == 1 + len(others)


class OrderLife(RuleBasedStateMachine):
    """Whatever comes in whatever order: quantities add up and closed orders have nothing open."""

    def __init__(self) -> None:
        super().__init__()
        self.order = an_order(quantity=10)
        self.sold = 0

    def _try(self, name: str, *arguments: object) -> None:
        before = self.order
        try:
            self.order = getattr(before, name)(*arguments, at=AT)
        except InvalidTransition:
            assert self.order is before

    @rule(name=st.sampled_from(["submit", "request_cancel", "cancel", "expire", "refuse_cancel"]))
    def move(self, name: str) -> None:
        self._try(name)

    @rule()
    def deny(self) -> None:
        self._try("deny", "weight")

    @rule(number=st.sampled_from(["1", "2"]))
    def accept(self, number: str) -> None:
        self._try("accept", number)

    @rule()
    def reject(self) -> None:
        self._try("reject", "APBK0952", "cash")

    @precondition(lambda self: self.order.submitted_at is not None)
    @rule(quantity=st.integers(1, 10))
    def fill(self, quantity: int) -> None:
        before = self.order
        self._try("fill", quantity, quantity * 100)
        if self.order is not before:
            self.sold += quantity

    @invariant()
    def quantities_add_up(self) -> None:
        assert self.order.filled_quantity == self.sold <= self.order.quantity
        assert self.order.filled_value == self.sold * 100
        assert self.order.is_open == (self.order.status in OPEN_STATUSES)
        assert (self.order.status is S.FILLED) == (self.sold == self.order.quantity)

    @invariant()
    def nothing_unsent_is_filled(self) -> None:
        if self.order.submitted_at is None:
            assert self.order.filled_quantity == 0


TestOrderLife = OrderLife.TestCase


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_fills_never_pass_the_quantity(pieces: list[int]) -> None:
    order: Order = an_accepted_order(quantity=60)
    for piece in pieces:
        if piece <= order.quantity - order.filled_quantity:
            order = order.fill(piece, piece, at=AT)
    assert order.filled_quantity <= 60
