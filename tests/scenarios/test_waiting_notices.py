"""This is notices whose number nobody knows yet: kept where a crash does not lose them, applied once, or let go."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.memory.stores import MemoryStores
from tasks import streaming
from tasks.fills import NoticeOutcome
from tasks.notices import apply_waiting
from tasks.rulings import declare_absent_by_hand
from tasks.streaming import StreamSession
from tests.builders import ACCOUNT, HYUNDAI, LG_CHEM, a_signal, an_accepted_order
from tests.desks import Floor, a_floor
from tests.scenarios.test_searching import lose, lose_the_reply
from trading.doubts import PAUSES
from trading.notices import Notice, NoticeKind
from trading.orders import Order, OrderStatus, Side


def waiting(floor: Floor) -> tuple[Notice, ...]:
    with floor.stores.begin() as work:
        return work.notices.waiting(floor.desk.today())


async def test_a_notice_survives_the_process_that_read_it(floor: Floor) -> None:
    """The fill came before the reply, the reply never; the next process binds the order and books it once."""
    await lose_the_reply(floor)
    floor.at("09:00")
    fills = floor.print(401_000, 100, auction=True)
    assert floor.hear(*fills, *fills) == (NoticeOutcome.UNKNOWN_ORDER,) * 2
    assert len(waiting(floor)) == 1
    floor.at("09:01")
    await floor.reconcile()
    assert (floor.order().filled_quantity, waiting(floor)) == (10, ())
    floor.assert_books_agree()


async def test_what_filled_after_the_rows_were_read_is_booked_from_the_buffer(
    floor: Floor,
) -> None:
    await lose_the_reply(floor)
    floor.at("09:00")

    async def fill_meanwhile() -> None:
        floor.broker.on_inquiry.clear()
        floor.hear(*floor.print(401_000, 100, auction=True))

    floor.broker.on_inquiry.append(fill_meanwhile)
    await floor.reconcile()
    assert [fill.quantity for fill in floor.executions] == [10]
    assert waiting(floor) == ()
    floor.assert_books_agree()


async def test_notices_of_orders_by_hand_are_let_go_when_a_row_explains_them(
    floor: Floor,
) -> None:
    await floor.open()
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    assert len(waiting(floor)) == 1
    await floor.reconcile()
    assert (waiting(floor), floor.orders) == ((), ())


async def test_a_doubt_keeps_the_notices_of_its_own_symbol_and_side_only(floor: Floor) -> None:
    """What a row explains waits no longer, so that its age cannot stop the whole account."""
    await lose(floor)
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 149_000)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    floor.at("08:50:02")
    await floor.reconcile()
    assert floor.order().is_in_doubt
    assert {notice.symbol for notice in waiting(floor)} <= {LG_CHEM}


async def test_a_doubt_that_nobody_ends_stops_its_symbol_and_no_other(floor: Floor) -> None:
    """Two equal rows, a notice of each: after ten minutes the other symbols still trade."""
    number = await lose_the_reply(floor)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    twin = await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    floor.broker.disguise(twin)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    for time in ("08:50:02", "08:55", "09:00:01", "09:10"):
        floor.at(time)
        await floor.reconcile()
    with floor.stores.begin() as work:
        assert work.halts.in_force() == ()
    (doubtful,) = floor.orders
    assert (doubtful.is_in_doubt, number) == (True, "0000000001")
    (other,) = await floor.trade(a_signal(symbol=HYUNDAI))
    assert other.status is OrderStatus.ACCEPTED


async def test_a_number_that_becomes_an_orders_takes_its_notices(floor: Floor) -> None:
    await floor.open()
    held: list[Notice] = []

    def overtake() -> None:
        floor.at("09:00")
        held.extend(floor.print(401_000, 100, auction=True))
        floor.hear(*held)

    floor.broker.after_place.append(overtake)
    await floor.trade(a_signal())
    assert floor.executions == ()
    outcomes = apply_waiting(floor.desk, trading_day=floor.desk.today())
    assert (outcomes, waiting(floor)) == (frozenset({NoticeOutcome.APPLIED}), ())
    assert floor.order().filled_quantity == 10


async def test_a_sale_of_shares_that_our_book_lacks_is_left_to_an_inquiry(tmp_path: Path) -> None:
    """Nothing of it is kept, and the stream goes on."""
    floor = a_floor(tmp_path, stores=MemoryStores(channel="dev", account=ACCOUNT))
    await floor.open()
    sale = an_accepted_order("0000000077", side=Side.SELL)
    with floor.stores.begin() as work:
        work.orders.add(Order.initialize(sale.intent))
        work.orders.save(sale)
    await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 23, 404_000)
    row = replace(floor.broker.book[0], broker_order_id="0000000077", side=Side.SELL)
    notice = floor.broker.notice_of(row, NoticeKind.FILLED, price=401_000)
    assert floor.hear(notice) == (NoticeOutcome.NEEDS_INQUIRY,)
    assert (floor.executions, floor.order().status) == ((), OrderStatus.ACCEPTED)


class Loop:
    """The event loop's time in seconds; a test sets it."""

    now = 1_000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Loop:
    """The loop's time of the session."""
    loop = Loop()
    monkeypatch.setattr(streaming, "_loop_time", loop)
    return loop


@pytest.fixture
def session(floor: Floor) -> StreamSession:
    """A session with its ordinary pauses that has reconciled already."""
    return StreamSession(floor.desk, wants_inquiry=False)


async def test_a_doubt_is_looked_at_with_growing_pauses(
    floor: Floor, session: StreamSession, clock: Loop
) -> None:
    await lose(floor)
    floor.at("08:50:01")
    looked_at = []
    for tick in range(400):
        clock.now = 1_000 + tick / 4
        before = session.inquiries
        await session.pulse()
        if session.inquiries > before:
            looked_at.append(tick / 4)
    gaps = [after - before for before, after in pairwise(looked_at)]
    assert looked_at[0] == 0
    assert gaps == [*PAUSES[1:], PAUSES[-1]]


async def test_what_was_declared_absent_is_looked_for_every_minute(
    floor: Floor, session: StreamSession, clock: Loop
) -> None:
    await lose(floor)
    floor.at("08:52")
    order_id = floor.order().client_order_id
    await declare_absent_by_hand(floor.desk, order_id, reason="not in HTS")
    looked_at = []
    for second in range(150):
        clock.now = 1_000 + second
        before = session.inquiries
        await session.pulse()
        if session.inquiries > before:
            looked_at.append(second)
    assert looked_at == [0, 60, 120]


async def test_a_visible_order_is_bound_by_the_session_within_five_seconds(
    floor: Floor, session: StreamSession, clock: Loop
) -> None:
    await floor.open()
    await session.pulse()
    await lose_the_reply(floor)
    for tick in range(20):
        clock.now = 1_000 + tick / 4
        floor.at(f"08:50:{tick // 4:02}")
        await session.pulse()
        if floor.order().status is OrderStatus.ACCEPTED:
            break
    assert floor.order().status is OrderStatus.ACCEPTED
    assert clock.now - 1_000 <= 2


async def test_a_notice_makes_the_session_look_at_once(
    floor: Floor, session: StreamSession, clock: Loop
) -> None:
    await lose_the_reply(floor)
    number = floor.broker.book[-1]
    session.doubt_due = clock.now + 30
    floor.at("08:51")
    await session.take(floor.broker.notice_of(number, NoticeKind.ACCEPTED))
    await session.pulse()
    assert floor.order().status is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    ("kinds", "price"),
    [((NoticeKind.REJECTED, NoticeKind.FILLED), 401_000), ((NoticeKind.FILLED,), 0)],
    ids=["a fill of what was refused", "a fill without a price"],
)
async def test_waiting_notices_that_cannot_be_true_hold_nothing_up(
    floor: Floor, session: StreamSession, kinds: tuple[NoticeKind, ...], price: int
) -> None:
    """Left in the buffer, they would fail every pulse before its inquiry and its kill switch."""
    await floor.open()
    await session.pulse()
    told: list[Notice] = []

    def overtake() -> None:
        floor.at("09:00")
        told.extend(floor.print(401_000, auction=True))

    async def hear() -> None:
        for kind in kinds:
            await session.take(replace(told[0], kind=kind, price=price))

    floor.broker.after_place += [overtake, hear]
    await floor.trade(a_signal())
    session.tripped_at = 0.0
    inquiries = session.inquiries
    for _ in range(3):
        await session.pulse()
    assert session.tripped_at > 0
    assert session.inquiries > inquiries
    assert waiting(floor) == ()
