"""This is what went wrong between others and their own memory: restarts, halts that were lost, ratios that lied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.notifier import Severity
from tasks.readiness import make_ready
from tasks.trips import check_trips
from tests.builders import LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor, an_exit
from trading.bookings import execution_from_row
from trading.errors import BadInput, OutcomeUnknown
from trading.halts import Halt, TradingState
from trading.orders import OrderStatus

STARTS = 3


async def test_starting_again_and_again_makes_no_order_and_no_fill(floor: Floor) -> None:
    """Incident 10: synthetic duplicates of orders appeared at restart."""
    await floor.open()
    floor.broker.lost_reply = OutcomeUnknown("no answer")
    await floor.trade(a_signal(), a_signal(symbol=SAMSUNG))
    floor.broker.lost_reply = None
    floor.at("09:00")
    floor.print(401_000, 100, auction=True)
    for _ in range(STARTS):
        await make_ready(floor.desk)
        assert await floor.trade(a_signal(), a_signal(symbol=SAMSUNG)) == ()
    assert len(floor.orders) == len(floor.broker.book) == 2
    assert [fill.quantity for fill in floor.executions] == [10]
    floor.assert_books_agree()


async def test_a_profit_that_shrinks_halts_nothing(floor: Floor) -> None:
    """Incident 25: a drawdown ratio with a realised-peak denominator halted trading in profit."""
    entry = await floor.hold()
    floor.print(437_000)  # far above its price of 401,000
    assert check_trips(floor.desk, prices={LG_CHEM: 437_000}) == ()
    floor.at("10:05")
    floor.print(404_000)  # nearly all of the gain is gone, and still it is a gain
    assert check_trips(floor.desk, prices={LG_CHEM: 404_000}) == ()
    (sold,) = await floor.trade(an_exit(entry))
    assert sold.status is OrderStatus.ACCEPTED


async def test_a_fill_for_no_money_is_never_booked(floor: Floor) -> None:
    """Incident 33: reconciliation inserted sell rows at 0 won."""
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.print(401_000, 100, auction=True)
    (row,) = floor.broker.book
    with floor.stores.begin() as work:
        terms = floor.desk.terms(work, LG_CHEM, floor.desk.today())
    worthless = replace(row, filled_value=0)
    assert execution_from_row(floor.order(), worthless, terms, at=floor.clock.now()) is None
    await floor.reconcile()
    (fill,) = floor.executions
    with pytest.raises(BadInput, match="value"):
        replace(fill, value=0)
    floor.assert_books_agree()


async def test_a_halt_file_of_any_size_is_read_whole(floor: Floor) -> None:
    """Incident 42: a state file above its size limit was silently reset."""
    at, halt_file = floor.clock.now(), floor.desk.halt_file
    halt_file.put(Halt("operator", TradingState.HALTED, "x" * 8_000_000, at, strategy_id="swing"))
    halt_file.put(Halt("operator", TradingState.HALTED, "enough", at, strategy_id="trend"))
    assert halt_file.path.stat().st_size > 8_000_000
    await floor.open()
    await floor.trade(a_signal(), a_signal(strategy_id="swing", symbol=SAMSUNG))
    assert floor.breaches == ("HALTED", "HALTED")
    assert {halt.strategy_id for halt in halt_file.read(at=at)} == {"swing", "trend"}


async def test_an_urgent_matter_reaches_the_owner_at_once(floor: Floor) -> None:
    """Incident 36: the urgent alert called a method that did not exist."""
    await floor.open()
    floor.broker.lost_reply = OutcomeUnknown("no answer")
    await floor.trade(a_signal())
    (alarm,) = floor.notifier.of(Severity.CRITICAL)
    assert LG_CHEM in alarm.title
