"""This is whose shares a sale took, as rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from strategies.attribution import attributed
from strategies.holdings import holdings_of
from tests.builders import A_DAY, LG_CHEM, an_execution
from trading.executions import Execution
from trading.manual_orders import MANUAL
from trading.orders import Side


def fill(strategy_id: str, signed: int) -> Execution:
    side = Side.BUY if signed > 0 else Side.SELL
    made = an_execution(A_DAY, side, 400_000, quantity=abs(signed))
    return replace(made, strategy_id=strategy_id)


def left(fills: Iterable[Execution], *, held: int) -> dict[str, int]:
    """Give what each strategy has left, those with nothing left out."""
    pieces = attributed(fills, {LG_CHEM: held})
    names = {piece.strategy_id for piece in pieces} - {MANUAL}
    found = {name: holdings_of(name, pieces)[LG_CHEM].quantity for name in names}
    return {name: quantity for name, quantity in found.items() if quantity}


def test_a_sale_by_hand_takes_what_is_nobodys_first() -> None:
    fills = [fill("trend", 24), fill(MANUAL, -10)]
    assert left(fills, held=24) == {"trend": 24}  # ten were there before
    assert left(fills, held=14) == {"trend": 14}


def test_what_was_sold_by_hand_is_not_anothers_later_purchase() -> None:
    fills = [fill("trend", 24), fill(MANUAL, -24), fill("swing", 24)]
    assert left(fills, held=24) == {"swing": 24}
    assert left([*fills, fill("trend", 5)], held=29) == {"swing": 24, "trend": 5}


def test_a_sale_by_hand_takes_from_who_has_held_longest() -> None:
    fills = [fill("swing", 10), fill("trend", 24), fill(MANUAL, -15)]
    assert left(fills, held=19) == {"trend": 19}


def test_what_was_bought_by_hand_after_such_a_sale_is_no_strategys() -> None:
    fills = [fill("trend", 24), fill(MANUAL, -24), fill(MANUAL, 10)]
    assert left(fills, held=10) == {}


def test_a_strategy_that_sold_anothers_shares_is_no_reason_to_fail() -> None:
    fills = [fill("trend", 24), fill(MANUAL, -24), fill("swing", 24), fill("trend", -24)]
    assert left(fills, held=0) == {}
