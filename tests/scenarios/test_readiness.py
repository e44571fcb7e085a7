"""This is coming back after a death: no order before doubt, orders, positions and cash are looked at."""

from __future__ import annotations

import pytest

from adapters.notifier import Severity
from tasks.readiness import make_ready
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor, an_exit
from trading.errors import NotReady, OutcomeUnknown, Throttled
from trading.orders import OrderStatus, Side
from trading.plans import Act

NO_PAUSES = (0.0, 0.0)


async def test_a_doubt_is_settled_and_its_fills_are_booked_before_anything_is_ordered(
    floor: Floor,
) -> None:
    await floor.open()
    floor.broker.lost_reply = OutcomeUnknown("the process died")
    await floor.trade(a_signal())
    floor.broker.lost_reply = None
    floor.at("09:00")
    floor.print(401_000, auction=True)
    done = await make_ready(floor.desk)
    assert [step.act for step in done.steps] == [Act.BIND, Act.BOOK]
    assert floor.order().status is OrderStatus.FILLED
    floor.assert_books_agree()


async def test_a_symbol_that_differs_is_stopped_and_the_others_trade(floor: Floor) -> None:
    """Incident 11: neither ignored nor a reason to refuse the start for ever."""
    entry = await floor.hold()
    floor.broker.hand_over(LG_CHEM, 5, 2_000_000)
    done = await make_ready(floor.desk)
    assert [(s.act, s.subject) for s in done.steps] == [(Act.QUARANTINE, LG_CHEM)]
    (stopped,) = await floor.trade(an_exit(entry))
    assert (stopped.status, floor.breaches) == (OrderStatus.DENIED, ("HALTED",))
    (other,) = await floor.trade(a_signal(symbol=SAMSUNG))
    assert other.status is OrderStatus.ACCEPTED


async def test_a_symbol_is_released_by_itself_when_the_books_agree_again(floor: Floor) -> None:
    await floor.hold()
    floor.broker.hand_over(LG_CHEM, 5, 2_000_000)
    await make_ready(floor.desk)
    with floor.stores.begin() as work:
        work.ledger.adopt(LG_CHEM, quantity=5, cost=2_000_000, at=floor.clock.now())
    done = await make_ready(floor.desk)
    assert [(s.act, s.subject) for s in done.steps] == [(Act.RELEASE, LG_CHEM)]
    with floor.stores.begin() as work:
        assert work.halts.in_force() == ()
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1


async def test_what_the_operator_resumed_is_not_stopped_again_for_the_same_difference(
    floor: Floor,
) -> None:
    await floor.hold()
    floor.broker.hand_over(LG_CHEM, 5, 2_000_000)
    await make_ready(floor.desk)
    with floor.stores.begin() as work:
        assert work.halts.lift(
            "reconciliation", symbol=LG_CHEM, reason="bonus issue", at=floor.clock.now()
        )
    assert (await make_ready(floor.desk)).steps == ()
    floor.broker.hand_over(LG_CHEM, 1, 400_000)
    assert [step.act for step in (await make_ready(floor.desk)).steps] == [Act.QUARANTINE]


async def test_what_was_on_its_way_and_stays_a_difference_stops_its_symbol(floor: Floor) -> None:
    """An open order explains a difference only while it is open."""
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.hand_over(LG_CHEM, 5, 2_000_000)
    assert (await make_ready(floor.desk)).steps == ()
    await floor.broker.cancel(
        broker_order_id="0000000001",
        branch="",
        order_type=floor.order().intent.order_type,
    )
    done = await make_ready(floor.desk)
    assert [step.act for step in done.steps] == [Act.CLOSE, Act.QUARANTINE]


async def test_money_that_the_bank_paid_in_stops_nothing(floor: Floor) -> None:
    await floor.open()
    floor.broker.pay_in(1_234)
    done = await make_ready(floor.desk)
    assert [d.subject for d in done.differences] == ["D+2"]
    assert len(floor.notifier.of(Severity.WARNING)) == 1
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_an_empty_day_is_not_believed(floor: Floor) -> None:
    """Rows that are empty for a while must never be read as "nothing there"."""
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.forget(floor.order().broker_order_id)
    with pytest.raises(NotReady, match="the broker's day is empty"):
        await make_ready(floor.desk, pauses=NO_PAUSES)
    assert floor.order().status is OrderStatus.ACCEPTED


async def test_an_account_without_any_of_our_symbols_is_another_account(floor: Floor) -> None:
    """Incident 31: holdings were restored from the wrong key."""
    await floor.hold()
    with floor.stores.begin() as work:
        work.ledger.adopt(HYUNDAI, quantity=3, cost=450_000, at=floor.clock.now())
        work.ledger.adopt(SAMSUNG, quantity=3, cost=150_000, at=floor.clock.now())
    done = await make_ready(floor.desk, pauses=NO_PAUSES)  # one of three is there
    assert {s.subject for s in done.steps} == {HYUNDAI, SAMSUNG}
    floor.print(400_000)
    await floor.broker.place_by_hand(LG_CHEM, Side.SELL, 24, 399_000)
    floor.print(400_000)
    with floor.stores.begin() as work:
        work.ledger.adopt(LG_CHEM, quantity=3, cost=450_000, at=floor.clock.now())
    with pytest.raises(NotReady, match="none of our 3 symbols"):
        await make_ready(floor.desk, pauses=NO_PAUSES)


async def test_a_book_that_cannot_be_opened_is_not_ready(floor: Floor) -> None:
    floor.at("08:50")
    floor.broker.disguise(await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 1, 404_000))
    with pytest.raises(NotReady, match="not open yet"):
        await make_ready(floor.desk, pauses=NO_PAUSES)


async def test_a_broker_that_cannot_be_read_makes_nobody_ready(floor: Floor) -> None:
    floor.at("08:50")
    floor.broker.reading = Throttled("too fast")
    with pytest.raises(Throttled):
        await make_ready(floor.desk, pauses=NO_PAUSES)
