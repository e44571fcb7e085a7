"""This is stopping by ourselves: every trip on a desk, told once, audited, and ended by a reason only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.market_data import Connected
from adapters.notifier import Severity
from adapters.stores import OutboxEvent
from risk.trips import TripLimits, TripRule
from tasks.desk import Desk
from tasks.halts import put_halt
from tasks.resumptions import resume
from tasks.streaming import StreamSession
from tasks.trips import Hearing, check_trips
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, SAMSUNG, a_signal, seoul
from tests.desks import Floor, a_floor, an_exit
from trading.errors import BadInput, OutcomeUnknown, Rejected
from trading.halts import Halt, TradingState
from trading.instruments import Symbol
from trading.notices import NoticeKind
from trading.orders import OrderStatus, Side

PRICES = {LG_CHEM: 317_000}
"""At which 24 shares bought at 401,000 won have lost 2 % of the account."""


class OffClock:
    """A broker whose clock is off."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def offset(self) -> timedelta:
        """Give by how much."""
        return timedelta(seconds=self.seconds)


def sources(floor: Floor) -> list[str]:
    """Give the sources of all halts in force."""
    with floor.stores.begin() as work:
        return [halt.source for halt in floor.desk.halts(work)]


def look(desk: Desk, prices: Mapping[Symbol, int] = PRICES) -> tuple[Halt, ...]:
    """Look at everything that may trip."""
    return check_trips(desk, prices=prices)


async def lose(floor: Floor) -> Floor:
    """Hold 24 shares that lose 2 % of the account."""
    await floor.hold()
    floor.hear(*floor.print(317_000))
    return floor


async def be_refused(floor: Floor) -> Floor:
    """Have the broker refuse one order after the other."""
    await floor.open()
    floor.broker.refusal = Rejected("no", code="APBK0400")
    await floor.trade(a_signal(), a_signal(symbol=SAMSUNG))
    return floor


async def be_in_doubt(floor: Floor) -> Floor:
    """Lose two replies, and the orders with them."""
    await floor.open()
    floor.broker.refusal = OutcomeUnknown("no answer")
    await floor.trade(a_signal(), a_signal(symbol=SAMSUNG))
    return floor


async def be_late(floor: Floor) -> Floor:
    """Live by a clock that is six seconds off."""
    await floor.open()
    return replace(floor, desk=replace(floor.desk, broker_clock=OffClock(-6)))


async def pile_up_notices(floor: Floor) -> Floor:
    """Hear of an order that nobody knows."""
    await floor.open()
    number = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000)
    row = next(row for row in floor.broker.book if row.broker_order_id == number)
    with floor.stores.begin() as work:
        for price in (1, 2):
            notice = floor.broker.notice_of(row, NoticeKind.ACCEPTED, price=price)
            work.notices.keep(floor.desk.today(), notice)
    return floor


async def keep_events(floor: Floor) -> Floor:
    """Send nothing of what is in the outbox."""
    await floor.open()
    with floor.stores.begin() as work:
        for number in range(2):
            event = OutboxEvent("orders", str(number), {}, floor.clock.now())
            work.outbox.add(event)
    trips = TripLimits(unsent_events=2)
    channel = floor.desk.channel.model_copy(update={"trips": trips})
    return replace(floor, desk=replace(floor.desk, channel=channel, is_relayed=True))


LIMITS = {"reject_streak": 2, "orders_in_doubt": 2, "waiting_notices": 2}
CASES = {
    TripRule.DAILY_LOSS: (lose, TradingState.REDUCING),
    TripRule.REJECTS: (be_refused, TradingState.HALTED),
    TripRule.DOUBTS: (be_in_doubt, TradingState.HALTED),
    TripRule.CLOCK: (be_late, TradingState.HALTED),
    TripRule.NOTICES: (pile_up_notices, TradingState.HALTED),
    TripRule.EVENTS: (keep_events, TradingState.REDUCING),
}


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """A desk that trips early."""
    return a_floor(tmp_path, trips=LIMITS)


@pytest.mark.parametrize("rule", CASES)
async def test_a_trip_halts_once_tells_and_is_audited(floor: Floor, rule: TripRule) -> None:
    arrange, state = CASES[rule]
    floor = await arrange(floor)
    for _ in range(2):
        look(floor.desk)
    with floor.stores.begin() as work:
        (halt,) = floor.desk.halts(work)
        audit = work.audit.latest("halt")
    assert (halt.source, halt.state) == (f"trip:{rule}", state)
    assert floor.desk.halt_file.read(at=floor.clock.now()) == (halt,)
    assert audit is not None
    assert (audit[1].actor, audit[1].detail["reason"]) == (halt.source, halt.reason)
    told = [m for m in floor.notifier.of(Severity.CRITICAL) if m.text == halt.reason]
    assert len(told) == 1


@pytest.mark.parametrize("rule", [TripRule.REJECTS, TripRule.DAILY_LOSS])
async def test_what_the_owner_has_resumed_does_not_trip_again_by_itself(
    floor: Floor, rule: TripRule
) -> None:
    floor = await CASES[rule][0](floor)
    look(floor.desk)
    floor.clock.move_to(floor.clock.now() + timedelta(seconds=1))

    with pytest.raises(BadInput):
        await resume.fn(floor.desk, reason=" ")
    done = await resume.fn(floor.desk, reason="the key was renewed")

    assert [halt.source for halt in done.lifted] == [f"trip:{rule}"]
    assert done.left == ()
    await floor.reconcile()
    assert sources(floor) == []


async def test_new_rejects_after_a_resume_trip_again(floor: Floor) -> None:
    await be_refused(floor)
    floor.at("08:51")
    await resume.fn(floor.desk, reason="looked")
    floor.at("08:52")
    await floor.trade(a_signal(strategy_id="swing"), a_signal(strategy_id="swing", symbol=SAMSUNG))
    assert sources(floor) == ["trip:rejects"]


async def test_a_clock_that_is_still_off_trips_again_after_a_resume(floor: Floor) -> None:
    floor = await be_late(floor)
    look(floor.desk)
    await resume.fn(floor.desk, reason="hoping")
    assert sources(floor) == []
    await floor.reconcile()
    assert sources(floor) == ["trip:clock"]


async def test_a_loss_stops_buys_and_lets_the_stop_sell(floor: Floor) -> None:
    """Found by the reconciliation, without anybody asking."""
    await lose(floor)
    await floor.reconcile()
    assert sources(floor) == ["trip:daily_loss"]
    (leaving, buy) = await floor.trade(a_signal(symbol=SAMSUNG), an_exit(a_signal()))
    assert leaving.status is OrderStatus.ACCEPTED
    assert buy.status is OrderStatus.DENIED


async def test_a_price_that_nobody_knows_keeps_no_other_trip_from_being_seen(
    floor: Floor,
) -> None:
    await lose(floor)
    desk = replace(floor.desk, broker_clock=OffClock(60))
    assert [halt.source for halt in look(desk, {})] == ["trip:clock"]


async def test_a_trip_beside_a_halt_stays_when_that_is_lifted(floor: Floor) -> None:
    halt = Halt("operator", TradingState.HALTED, "all", floor.clock.now(), "trend")
    put_halt.fn(floor.desk, halt)
    await be_refused(floor)
    floor.broker.refusal = None
    look(replace(floor.desk, broker_clock=OffClock(60)))
    await resume.fn(floor.desk, reason="only that one", strategy_id="trend")
    assert sources(floor) == ["trip:clock"]


# The stream


async def test_a_silent_stream_trips_while_the_market_trades(floor: Floor) -> None:
    await floor.open()
    floor.at("10:00")
    loop = asyncio.get_running_loop()
    session = StreamSession(floor.desk)
    await session.take(Connected(floor.clock.now()))
    await session.pulse()
    assert sources(floor) == []
    silent_for = timedelta(seconds=180)
    session.hearing = Hearing(floor.clock.now() - silent_for, loop.time() - 180)
    session.tripped_at = 0.0
    await session.pulse()
    assert sources(floor) == ["trip:silence"]


async def test_a_price_ends_the_silence(floor: Floor) -> None:
    await floor.open()
    floor.at("10:00")
    session = StreamSession(floor.desk)
    session.hearing = Hearing(floor.clock.now() - timedelta(hours=1), -3_600)
    await session.take(floor.tick(400_000))
    await session.pulse()
    assert sources(floor) == []


@pytest.mark.parametrize(
    ("clock", "heard", "waited", "silent"),
    [
        ("10:00", "09:59", 60, 60),
        ("10:00", "09:59", 1, 1),  # a simulated market that has jumped
        ("10:00", "10:00", 600, 0),  # and one that stands still
        ("09:01", "08:30", 1_860, 60),  # nothing is printed before the opening
        ("08:55", "08:30", 1_500, None),
        ("15:25", "15:19", 360, None),
        ("16:00", "15:30", 1_800, None),
    ],
)
def test_silence_counts_while_the_market_trades_only(
    floor: Floor, clock: str, heard: str, waited: float, silent: float | None
) -> None:
    floor.at(clock)
    hearing = Hearing(seoul(A_DAY, heard), 100.0)
    expected = None if silent is None else timedelta(seconds=silent)
    assert hearing.silence(floor.desk, 100.0 + waited) == expected
