"""This is the account's book: conservation of won and shares, holds, settlement, and rebuilding."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import (
    A_DAY,
    ACCOUNT,
    LG_CHEM,
    SAMSUNG,
    SETTLED,
    a_fill,
    an_accepted_order,
    seoul,
)
from trading.errors import LedgerViolation
from trading.executions import Execution
from trading.ledger import CashFlow, Hold, Ledger, rebuild
from trading.orders import Side
from trading.positions import Position

NOON = seoul(A_DAY, "12:00")
OPENED = Ledger(ACCOUNT).deposit(100_000_000, on=A_DAY)


def bought(quantity: int = 23, price: int = 438_000, *, minute: int = 0) -> Execution:
    order = an_accepted_order(quantity=quantity)
    return a_fill(order, quantity=quantity, price=price, at=NOON + timedelta(minutes=minute))


def sold(quantity: int = 23, price: int = 416_000, *, minute: int = 0) -> Execution:
    order = an_accepted_order(quantity=quantity, side=Side.SELL)
    return a_fill(order, quantity=quantity, price=price, at=NOON + timedelta(minutes=minute))


def test_a_buy_costs_value_and_commission_and_settles_two_days_later() -> None:
    # 23 x 438,000 = 10,074,000; commission 0.015 % = 1,511.1 -> 1,511 won.
    ledger = OPENED.post(bought())
    assert ledger.cash == 100_000_000 - 10_074_000 - 1_511
    assert ledger.settled_cash(A_DAY) == 100_000_000
    assert ledger.settled_cash(SETTLED) == ledger.cash
    assert ledger.position(LG_CHEM) == Position(LG_CHEM, 23, 10_074_000, 0, 1_511)


def test_a_sale_realizes_against_average_cost_and_pays_tax() -> None:
    # Sell 23 at 416,000 = 9,568,000; commission 1,435.2 -> 1,435; tax in 2018 on KOSPI 0.15 % twice:
    # 14,352 + 14,352 = 28,704. Realised 9,568,000 - 10,074,000 = -506,000.
    ledger = OPENED.post(bought()).post(sold())
    position = ledger.position(LG_CHEM)
    assert (position.quantity, position.cost, position.realized) == (0, 0, -506_000)
    assert position.charges == 1_511 + 1_435 + 28_704
    assert ledger.cash == 100_000_000 - 506_000 - position.charges


def test_selling_in_pieces_releases_the_whole_cost() -> None:
    position = Position(LG_CHEM, quantity=3, cost=1_000)
    after = [position := position.post(sold(1, 500)) for _ in range(3)][-1]
    assert (after.quantity, after.cost, after.realized) == (0, 0, 500)


def test_more_than_held_cannot_be_sold() -> None:
    with pytest.raises(LedgerViolation, match="sell of 24 with 23 held"):
        OPENED.post(bought()).post(sold(24))


def test_a_hold_lowers_what_can_be_bought_until_released() -> None:
    held = OPENED.hold("a", Hold(LG_CHEM, cash=60_000_000))
    assert held.buyable_cash == 40_000_000
    with pytest.raises(LedgerViolation, match="buyable 40000000"):
        held.hold("b", Hold(SAMSUNG, cash=40_000_001))
    assert held.hold("a", Hold(LG_CHEM, cash=100_000_000)).buyable_cash == 0
    assert held.release("a") == OPENED


def test_shares_are_promised_only_once() -> None:
    ledger = OPENED.post(bought()).hold("a", Hold(LG_CHEM, shares=20))
    assert ledger.sellable_quantity(LG_CHEM) == 3
    with pytest.raises(LedgerViolation, match="sellable 3"):
        ledger.hold("b", Hold(LG_CHEM, shares=4))


def test_proceeds_buy_again_before_they_settle() -> None:
    # D+2 settlement must never look like a loss (incident 43): cash counts the sale at once.
    ledger = OPENED.post(bought()).post(sold())
    assert ledger.settled_cash(A_DAY) == 100_000_000
    assert ledger.buyable_cash == ledger.cash


def test_equity_without_a_price_is_an_error_not_zero() -> None:
    with pytest.raises(KeyError):
        OPENED.post(bought()).equity({})


trades = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 40), st.integers(100, 900_000)), max_size=25
)


@given(trades)
def test_won_and_shares_are_conserved_and_the_book_can_be_rebuilt(
    wishes: list[tuple[Side, int, int]],
) -> None:
    ledger, executions = OPENED, list[Execution]()
    for minute, (side, quantity, price) in enumerate(wishes):
        make = bought if side is Side.BUY else sold
        execution = make(quantity, price, minute=minute)
        if side is Side.SELL and quantity > ledger.position(LG_CHEM).quantity:
            continue
        ledger = ledger.post(execution)
        executions.append(execution)
    position = ledger.position(LG_CHEM)
    signed = [e.quantity if e.side is Side.BUY else -e.quantity for e in executions]
    charges = sum(e.commission + e.tax for e in executions)
    assert position.quantity == sum(signed) >= 0
    assert position.cost >= 0
    assert position.charges == charges
    # What was paid and not yet got back is the cost of what is left, up to what has been realised.
    assert ledger.cash == 100_000_000 - position.cost + position.realized - charges
    assert rebuild(ACCOUNT, [CashFlow(A_DAY, 100_000_000)], executions) == ledger


def test_a_deposit_arrives_on_its_day() -> None:
    ledger = Ledger(ACCOUNT).deposit(5, on=date(2018, 1, 17))
    assert (ledger.cash, ledger.settled_cash(A_DAY)) == (5, 0)
