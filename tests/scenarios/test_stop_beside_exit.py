"""This is a stop beside a resting exit of the same shares: the exit makes room, and nothing is sold twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor, a_floor, an_exit
from trading.broker_books import BrokerOrder
from trading.errors import OutcomeUnknown
from trading.orders import OrderStatus, Side


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """A desk whose targets are limit orders."""
    return a_floor(tmp_path, sizing={"exit_type": "LIMIT"})


def open_rows(floor: Floor) -> list[BrokerOrder]:
    return [row for row in floor.broker.book if row.open_quantity]


async def resting_exit(floor: Floor) -> None:
    """Hold 24 LG Chem, all of them offered at a limit that nobody pays."""
    entry = await floor.hold()
    await floor.trade(an_exit(entry, "target"))
    assert floor.order().intent.limit_price is not None


async def test_a_stop_takes_the_shares_back_from_a_resting_exit(floor: Floor) -> None:
    await resting_exit(floor)
    (stop,) = await floor.trade(an_exit(a_signal()))
    assert (stop.status, stop.quantity, stop.intent.limit_price) == (
        OrderStatus.ACCEPTED,
        24,
        None,
    )
    assert [order.status for order in floor.orders[1:]] == [
        OrderStatus.CANCELED,
        OrderStatus.ACCEPTED,
    ]
    assert sum(row.open_quantity for row in open_rows(floor)) == 24


async def test_a_stop_sells_only_what_the_resting_exit_had_not_sold(floor: Floor) -> None:
    await resting_exit(floor)
    floor.broker.on_cancel.append(lambda: floor.print(400_000, 100))
    (stop,) = await floor.trade(an_exit(a_signal()))
    assert (stop.quantity, floor.order(1).filled_quantity) == (14, 10)
    floor.hear(*floor.print(380_000))
    await floor.reconcile()
    assert floor.ledger.position(LG_CHEM).quantity == 0
    floor.assert_books_agree()


async def test_a_stop_never_sells_what_a_cancel_in_doubt_may_still_sell(floor: Floor) -> None:
    await resting_exit(floor)
    floor.broker.cancel_refusal = OutcomeUnknown("no answer")
    assert await floor.trade(an_exit(a_signal())) == ()
    assert len(floor.broker.sent) == 2
    floor.broker.cancel_refusal = None
    (stop,) = await floor.trade(an_exit(a_signal()))
    assert (stop.status, stop.quantity) == (OrderStatus.ACCEPTED, 24)


async def test_a_stop_leaves_other_strategies_and_symbols_alone(floor: Floor) -> None:
    await resting_exit(floor)
    floor.broker.hand_over(SAMSUNG, 10, 500_000)
    await floor.trade(an_exit(a_signal(symbol=SAMSUNG, reference_price=50_000)))
    await floor.trade(an_exit(a_signal(strategy_id="swing")))
    assert floor.broker.sent_cancels == []
    (row,) = open_rows(floor)
    assert row.side is Side.SELL


async def test_a_halted_stop_cancels_nothing(floor: Floor) -> None:
    await resting_exit(floor)
    floor.desk.halt_file.path.touch()
    await floor.trade(an_exit(a_signal()))
    assert floor.broker.sent_cancels == []


async def test_equal_stops_of_two_strategies_differ_by_a_share_that_follows(floor: Floor) -> None:
    """Equal market sells could not be told apart in doubt; the last share goes with the next run."""
    first = await floor.hold()
    second = a_signal(strategy_id="swing")
    await floor.trade(second)
    floor.hear(*floor.print(401_000))
    assert floor.ledger.position(LG_CHEM).quantity == 48

    stops = await floor.trade(an_exit(first), an_exit(second))
    assert [stop.quantity for stop in stops] == [24, 23]
    floor.hear(*floor.print(380_000))
    (last,) = await floor.trade(an_exit(first), an_exit(second))
    assert (last.intent.strategy_id, last.quantity) == ("swing", 1)
    floor.hear(*floor.print(380_000))
    assert floor.ledger.position(LG_CHEM).quantity == 0
    assert await floor.trade(an_exit(first), an_exit(second)) == ()
    floor.assert_books_agree()
