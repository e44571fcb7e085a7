"""This is the intraday life: notices booked as they come, stops kept, and nothing that ends it for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from adapters.market_data import Connected
from adapters.notifier import Severity
from tasks import streaming
from tasks.streaming import StreamSession
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, a_signal, seoul
from tests.desks import Floor, an_exit
from trading.errors import BrokerError, OutcomeUnknown, Rejected, Throttled
from trading.halts import Halt, TradingState
from trading.notices import Notice
from trading.orders import OrderStatus, Side


def waiting(floor: Floor) -> tuple[Notice, ...]:
    """Give the notices whose number nobody knows."""
    with floor.stores.begin() as work:
        return work.notices.waiting(floor.desk.today())


async def test_a_fill_is_booked_and_its_stop_is_kept(floor: Floor, session: StreamSession) -> None:
    await floor.open()
    await session.pulse()
    await floor.trade(a_signal())
    floor.at("09:00")
    for notice in floor.print(401_000, auction=True):
        await session.take(notice)
    floor.at("10:30")
    await session.take(floor.tick(381_000))  # the stop is 380,950
    assert len(floor.orders) == 1
    floor.print(380_500)
    await session.take(floor.tick(380_500))
    assert (floor.order().side, floor.order().status) == (Side.SELL, OrderStatus.ACCEPTED)
    for notice in floor.print(380_000):
        await session.take(notice)
    assert floor.order().status is OrderStatus.FILLED
    assert floor.ledger.held_symbols == ()
    floor.assert_books_agree()
    counts = session.figures()
    assert [counts[name] for name in ("prints", "notices", "exits", "inquiries")] == [2, 2, 1, 1]


async def test_the_target_is_kept_too(floor: Floor, session: StreamSession) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(441_500)
    await session.take(floor.tick(441_500))  # 401,000 * 1.1 = 441,100
    assert floor.order().side is Side.SELL


async def test_prints_alone_ask_neither_database_nor_broker(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of prints a second must cost arithmetic and nothing else."""
    await floor.hold()
    await session.pulse()
    monkeypatch.setattr(floor.stores, "begin", None)
    asked = len(floor.market.asked)
    for price in range(382_000, 440_000, 500):
        await session.take(floor.tick(price))
        await session.take(floor.tick(price, symbol=HYUNDAI))
    assert session.prints == 232
    assert len(floor.market.asked) == asked
    assert len(floor.broker.sent) == 1


async def test_a_crash_through_the_stop_sends_one_order(
    floor: Floor, session: StreamSession
) -> None:
    """Incident 9: every print below the stop is the same decision."""
    await floor.hold()
    await session.pulse()
    for price in (380_000, 379_500, 379_000, 378_500):
        floor.print(price, 1)
        await session.take(floor.tick(price, 1))
        await session.pulse()
    assert len(floor.broker.sent) == 2


async def test_a_notice_before_its_number_waits_and_is_applied(
    floor: Floor, session: StreamSession
) -> None:
    await floor.open()
    await session.pulse()
    early: list[Notice] = []

    def overtake() -> None:
        floor.at("09:00")
        early.extend(floor.print(401_000, auction=True))

    async def hear() -> None:
        await session.take(early[0])

    floor.broker.after_place += [overtake, hear]
    await floor.trade(a_signal())
    assert floor.executions == ()
    assert waiting(floor) == tuple(early)
    await session.pulse()
    assert floor.order().status is OrderStatus.FILLED
    assert (waiting(floor), session.inquiries) == ((), 1)


async def test_a_notice_nobody_can_explain_asks_for_an_inquiry(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Incident 45: a fill of the owner's own order."""
    await floor.open()
    await session.pulse()
    monkeypatch.setattr(streaming, "PATIENCE_SECONDS", 0.0)
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    for notice in floor.print(150_000, symbol=HYUNDAI, auction=True):
        await session.take(notice)
    await session.pulse()
    assert (session.inquiries, session.wants_inquiry) == (2, False)
    assert [fill.strategy_id for fill in floor.executions] == ["manual"]


async def test_a_reconnect_asks_for_what_was_missed(floor: Floor, session: StreamSession) -> None:
    """Incidents 6 and 22: nothing is replayed after a disconnect."""
    await floor.open()
    await session.pulse()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.print(401_000, auction=True)  # its notice went into the void
    await session.take(Connected(floor.clock.now()))
    await session.pulse()
    assert floor.order().status is OrderStatus.FILLED
    floor.print(380_000)
    await session.take(floor.tick(380_000))
    assert floor.order().side is Side.SELL


async def test_what_asks_during_an_inquiry_gets_another(
    floor: Floor, session: StreamSession
) -> None:
    """A fill that came after the rows were read must not be forgotten with them."""
    await floor.open()
    await session.pulse()
    session.wants_inquiry = True

    async def meanwhile() -> None:
        await session.take(Connected(floor.clock.now()))

    floor.broker.on_inquiry.append(meanwhile)
    await session.pulse()
    assert session.wants_inquiry


@pytest.mark.parametrize("problem", [Throttled("too fast", code="EGW00201"), Rejected("no")])
async def test_a_broker_that_fails_does_not_end_the_session(
    floor: Floor, session: StreamSession, problem: BrokerError
) -> None:
    """Incidents 32 and 51: the stop waits for the next print, and the owner knows why."""
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.market.lost.add(LG_CHEM)
    floor.broker.reading = problem
    for _ in range(3):
        await session.take(floor.tick(380_000))
        await session.pulse()
    assert len(floor.notifier.of(Severity.WARNING)) == 2  # one for the price, one for the inquiry
    assert len(floor.broker.sent) == 1

    floor.market.lost.clear()
    floor.broker.reading = None
    await session.pulse()
    await session.take(floor.tick(380_000))
    assert (floor.order().side, floor.order().status) == (Side.SELL, OrderStatus.ACCEPTED)


async def test_a_rejected_stop_is_tried_again_five_times_in_all(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.broker.refusal = Rejected("not now", code="VI")
    for _ in range(8):
        await session.take(floor.tick(380_000))
        await session.pulse()
    assert [order.status for order in floor.orders[1:]] == [OrderStatus.REJECTED] * 5


async def test_a_stop_goes_out_after_a_halt_is_lifted(floor: Floor, session: StreamSession) -> None:
    """Incident 47's cousin: hours of denials, and the first print after them sells."""
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    halt = Halt("operator", TradingState.HALTED, "look first", floor.clock.now())
    floor.desk.halt_file.put(halt)
    for _ in range(10):
        await session.take(floor.tick(380_000))
        await session.pulse()
    floor.desk.halt_file.lift("operator", at=floor.clock.now())
    await session.take(floor.tick(380_000))
    statuses = [order.status for order in floor.orders[1:]]
    assert statuses == [OrderStatus.DENIED, OrderStatus.ACCEPTED]


async def test_an_exit_in_doubt_asks_for_an_inquiry_at_once(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.broker.lost_reply = OutcomeUnknown("no answer")
    await session.take(floor.tick(380_000))
    assert floor.order().is_in_doubt
    await session.pulse()
    assert floor.order().status is OrderStatus.ACCEPTED
    assert len(floor.broker.sent) == 2


async def test_what_another_process_sold_is_not_sold_again(
    floor: Floor, session: StreamSession
) -> None:
    entry = await floor.hold()
    await session.pulse()
    await floor.trade(an_exit(entry))
    floor.hear(*floor.print(380_000))
    await session.take(floor.tick(379_000))
    assert len(floor.broker.sent) == 2
    assert session.guarded == {}


async def test_a_whole_session_runs_from_the_stream_and_ends_with_an_inquiry(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PULSE_SECONDS", 0.01)
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    script: list[Callable[[], object]] = [
        lambda: floor.send(Connected(floor.clock.now())),
        lambda: floor.send(*floor.print(401_000, auction=True)),
        lambda: floor.print(380_000),
        lambda: floor.send(floor.tick(380_000)),
        lambda: floor.print(379_500),  # its notice is lost
        lambda: floor.at("15:35"),
    ]

    async def play() -> None:
        for act in script:
            act()
            await asyncio.sleep(
                0.2
            )  # an order reads the stores in a thread, which takes more than turns

    await asyncio.gather(play(), session.run(until=floor.clock.now().replace(hour=6, minute=35)))
    assert [order.status for order in floor.orders] == [OrderStatus.FILLED] * 2
    assert floor.ledger.held_symbols == ()
    floor.assert_books_agree()


@pytest.mark.parametrize("is_hard", [False, True], ids=["by Prefect's word", "by signal"])
async def test_an_end_in_the_middle_of_an_order_waits_for_its_answer(
    floor: Floor, session: StreamSession, *, is_hard: bool
) -> None:
    await floor.hold()
    is_sent = asyncio.Event()

    async def answer_slowly() -> None:
        is_sent.set()
        await asyncio.sleep(0.3)

    floor.broker.after_place.append(answer_slowly)
    running = asyncio.create_task(session.run(until=seoul(A_DAY, "15:35")))
    await asyncio.sleep(0.1)
    floor.print(380_000)
    floor.send(floor.tick(380_000))
    await is_sent.wait()
    began = asyncio.get_running_loop().time()
    running.cancel() if is_hard else session.end()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled() is is_hard
    assert asyncio.get_running_loop().time() - began < 5
    assert (floor.order().side, floor.order().status) == (Side.SELL, OrderStatus.ACCEPTED)


async def test_nothing_is_placed_after_the_end(floor: Floor, session: StreamSession) -> None:
    await floor.hold()
    await session.pulse()
    session.end()
    await session.run(until=seoul(A_DAY, "15:35"))
    floor.print(380_000)
    await session.take(floor.tick(380_000))
    assert len(floor.broker.sent) == 1
