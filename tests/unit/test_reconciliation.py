"""This is our book against the broker's: every difference named, doubt settled only by proof."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import A_DAY, ACCOUNT, LG_CHEM, an_accepted_order, an_order, seoul
from tests.unit.test_bookings import NUMBER, a_row
from trading.broker_books import Balance, BrokerPosition
from trading.ledger import Ledger
from trading.reconciliation import (
    DifferenceKind,
    compare_cash,
    compare_orders,
    compare_positions,
    fold_modifications,
)

SENT_AT = seoul(A_DAY, "08:50")
IN_DOUBT = an_order().submit(at=SENT_AT)


def test_what_fills_under_later_numbers_belongs_to_the_first() -> None:
    first = a_row(5, 2_140_000, open_quantity=0, canceled_quantity=18)
    second = a_row(
        3, 1_281_000, quantity=18, open_quantity=0, broker_order_id="2", original_id=NUMBER
    )
    third = a_row(10, 4_260_000, quantity=15, broker_order_id="3", original_id="2")
    cancel = a_row(0, 0, quantity=5, open_quantity=0, broker_order_id="4", original_id="3")
    stranger = a_row(1, 428_000, broker_order_id="5", original_id="9")
    folded = {
        row.broker_order_id: row
        for row in fold_modifications([first, second, third, cancel, stranger])
    }
    whole = folded[NUMBER]
    assert (whole.filled_quantity, whole.filled_value, whole.open_quantity) == (18, 7_681_000, 5)
    assert folded["5"] == stranger


def test_each_difference_of_orders_has_a_name() -> None:
    ours = [an_accepted_order(NUMBER), an_accepted_order("0000000999"), IN_DOUBT]
    foreign = replace(a_row(0, 0), broker_order_id="0000000555", is_ours=False)
    found = {d.kind: d for d in compare_orders(ours, [a_row(3, 1_284_000), foreign])}
    assert found[DifferenceKind.FILL_MISSING].theirs == "3"
    assert found[DifferenceKind.ORDER_MISSING].ours == "0000000999"
    assert found[DifferenceKind.ORDER_IN_DOUBT].subject == IN_DOUBT.client_order_id
    assert found[DifferenceKind.ORDER_FOREIGN].subject == "0000000555"
    assert len(found) == 4


def test_a_lagging_row_is_named_unproven() -> None:
    ours = [an_accepted_order(NUMBER).fill(5, 2_140_000, at=SENT_AT)]
    (difference,) = compare_orders(ours, [a_row(0, 0)])
    assert difference.kind is DifferenceKind.FILL_UNPROVEN


def test_equal_books_show_no_difference() -> None:
    ledger = Ledger(ACCOUNT).deposit(100, on=A_DAY)
    assert compare_orders([an_accepted_order(NUMBER)], [a_row(0, 0)]) == ()
    assert compare_positions(ledger, []) == ()
    assert compare_cash(ledger, Balance(100, 100, 100, 0)) == ()


def test_positions_and_cash_are_compared_by_figure() -> None:
    ledger = Ledger(ACCOUNT).deposit(100, on=A_DAY)
    (position,) = compare_positions(ledger, [BrokerPosition(LG_CHEM, 5, 5, 2_140_000, 428_000)])
    (cash,) = compare_cash(ledger, Balance(100, 100, 99, 0))
    assert (position.subject, position.ours, position.theirs) == (LG_CHEM, "0", "5")
    assert (cash.ours, cash.theirs) == ("100", "99")
