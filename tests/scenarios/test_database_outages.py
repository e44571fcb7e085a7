"""This is a session while PostgreSQL is stopped for real: no order leaves, no fill is lost, nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.halt_files import HaltFile
from adapters.notifier import Severity
from adapters.postgres import PostgresStores
from adapters.spools import Spool
from tasks import streaming
from tasks.disks import stopping_when_full
from tasks.streaming import StreamSession
from tests.builders import ACCOUNT, HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.database_servers import DatabaseServer
from tests.desks import Floor, a_floor
from tests.full_disks import a_full_disk
from trading.bars import Bar, Interval
from trading.errors import StoreFull, StoreUnavailable
from trading.halts import TradingState
from trading.manual_orders import MANUAL
from trading.orders import OrderStatus, Side


@pytest.fixture
def server(spare_server: DatabaseServer) -> DatabaseServer:
    """A server that may be stopped."""
    return spare_server


@pytest.fixture
def url(server: DatabaseServer) -> str:
    """An empty database."""
    return server.database()


@pytest.fixture
def floor(server: DatabaseServer, url: str, tmp_path: Path) -> Iterator[Floor]:
    """A desk on it, with a spool."""
    stores = PostgresStores(url, channel="dev", account=ACCOUNT)
    with closing(stores):
        floor = a_floor(tmp_path, stores=stores)
        spool = Spool(tmp_path / "spool" / "a.jsonl")
        yield replace(floor, desk=replace(floor.desk, spool=spool))
    server.start()


@pytest.fixture
def session(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> StreamSession:
    """A session without pauses between inquiries and refreshes."""
    monkeypatch.setattr(streaming, "INQUIRY_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(streaming, "REFRESH_SECONDS", 0.0)
    return StreamSession(floor.desk)


def spool_of(floor: Floor) -> Spool:
    """Give what waits on disk."""
    assert floor.desk.spool is not None
    return floor.desk.spool


def minutes(floor: Floor) -> list[tuple[int, int]]:
    """Give close and volume of the day's stored minute bars."""
    day = floor.desk.today()
    with floor.stores.begin() as work:
        bars: tuple[Bar, ...] = work.bars.between(LG_CHEM, Interval.MINUTE, first=day, last=day)
    return [(bar.close, bar.volume) for bar in bars]


async def test_fills_of_an_outage_are_booked_once_from_the_disk_alone(
    floor: Floor, session: StreamSession, server: DatabaseServer
) -> None:
    await floor.open()
    await session.pulse()
    await floor.trade(a_signal())
    floor.at("09:00")
    heard = floor.print(401_000, auction=True)
    server.stop()
    for notice in heard:
        await session.take(notice)
        await session.take(notice)  # at least once, says the broker
    await session.pulse()
    assert len(list(spool_of(floor).notices())) == 2 * len(heard)
    server.start()
    floor.broker.on_inquiry.append(_fail)  # the rows must not be what brings the fill back
    with pytest.raises(AssertionError, match="inquiry"):
        await session.pulse()
    assert floor.order().status is OrderStatus.FILLED
    assert [fill.source for fill in floor.executions] == ["NOTICE"]
    assert spool_of(floor).is_empty
    floor.assert_books_agree()
    assert "what waited is booked" in "".join(floor.titles(Severity.INFO))


async def _fail() -> None:
    raise AssertionError("an inquiry")


async def test_no_order_leaves_while_it_is_away_and_the_stop_goes_when_it_is_back(
    floor: Floor, session: StreamSession, server: DatabaseServer
) -> None:
    await floor.hold()
    await session.pulse()
    server.stop()
    floor.print(380_000)
    for _ in range(3):
        await session.take(floor.tick(380_000))
        await session.pulse()
    with pytest.raises(StoreUnavailable):
        await floor.trade(a_signal(symbol=SAMSUNG))
    assert len(floor.broker.sent) == 1
    server.start()
    await session.pulse()
    assert len(floor.broker.sent) == 2, "without waiting for another print"
    assert (floor.order().side, floor.order().status) == (Side.SELL, OrderStatus.ACCEPTED)


@pytest.mark.parametrize("is_killed", [False, True], ids=["survives", "is killed meanwhile"])
async def test_bars_of_an_outage_are_whole_afterwards(
    floor: Floor, session: StreamSession, server: DatabaseServer, *, is_killed: bool
) -> None:
    """Three minutes, the database gone from the first to the third; a process that dies begins anew."""
    await floor.open()
    floor.at("09:00:10")
    first = replace(floor.tick(401_000, 100), cumulative_volume=100)
    server.stop()
    await session.pulse()
    await session.take(first)
    for number, time in enumerate(("09:01:10", "09:01:50", "09:02:10"), start=1):
        floor.at(time)
        volume = 100 * (number + 1)
        await session.take(
            replace(floor.tick(401_000 + 500 * number, 100), cumulative_volume=volume)
        )
        await session.pulse()
    server.start()
    floor.at("09:03:10")
    if is_killed:
        session = StreamSession(floor.desk)
    await session.pulse()
    await session.pulse()
    assert minutes(floor) == [(401_000, 100), (402_000, 200), (402_500, 100)]


async def test_prints_of_a_day_that_is_over_make_that_day_s_bars(
    floor: Floor, session: StreamSession, server: DatabaseServer
) -> None:
    await floor.open()
    day = floor.desk.today()
    floor.at("09:00:10")
    server.stop()
    await session.pulse()
    await session.take(floor.tick(401_000, 100))
    await session.pulse()
    server.start()
    floor.at("08:50", day + timedelta(days=1))
    await StreamSession(floor.desk).pulse()
    with floor.stores.begin() as work:
        (bar,) = work.bars.between(LG_CHEM, Interval.MINUTE, first=day, last=day)
    assert (bar.trading_day, bar.close) == (day, 401_000)


async def test_a_notice_that_nobody_can_take_waits_for_the_inquiry_and_spoils_nothing(
    floor: Floor, session: StreamSession, server: DatabaseServer
) -> None:
    await floor.open()
    await session.pulse()
    await floor.trade(a_signal())
    floor.at("09:00")
    (notice,) = floor.print(401_000, auction=True)
    server.stop()
    await session.take(replace(notice, quantity=10_000))
    await session.take(notice)
    server.start()
    await session.pulse()
    await session.pulse()
    assert floor.order().status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in floor.executions) == floor.order().quantity
    floor.assert_books_agree()


async def test_an_old_notice_is_explained_by_the_book_before_it_can_stop_trading(
    floor: Floor, session: StreamSession, server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice of an order by hand that waited out an hour is older than its limit when it is first looked at."""
    await floor.open()
    await session.pulse()
    monkeypatch.setattr(streaming, "INQUIRY_PAUSE_SECONDS", 20.0)
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    heard = floor.print(150_000, symbol=HYUNDAI, auction=True)
    server.stop()
    for notice in heard:
        await session.take(notice)
    floor.at("10:00")
    server.start()
    session.tripped_at = 0.0
    await session.pulse()
    with floor.stores.begin() as work:
        assert session.desk.halts(work) == ()
    assert floor.order().intent.strategy_id == MANUAL
    floor.assert_books_agree()


async def test_a_full_disk_halts_even_where_the_halt_cannot_be_written(
    floor: Floor, session: StreamSession, server: DatabaseServer, tmp_path: Path
) -> None:
    with a_full_disk(tmp_path / "disk") as disk:
        halts = HaltFile(disk.folder / "halt.json")
        desk = replace(floor.desk, spool=Spool(disk.folder / "a.jsonl"), halt_file=halts)
        session = replace(session, desk=desk)
        await floor.open()
        await session.pulse()
        await floor.trade(a_signal())
        floor.at("09:00")
        heard = floor.print(401_000, auction=True)
        assert halts.read(at=desk.now()) == ()
        server.stop()
        disk.fill()
        for notice in heard:
            await session.take(notice)
        (halt,) = halts.read(at=desk.now())
        assert halt.state is TradingState.HALTED
        assert "disk is full" in "".join(m.text for m in floor.notifier.of(Severity.CRITICAL))
        server.start()
        disk.empty()
        await session.pulse()
        await session.pulse()
        assert floor.order().status is OrderStatus.FILLED, (
            "the inquiry has the fill that no disk took"
        )
        with floor.stores.begin() as work:
            assert desk.halts(work)[0].state is TradingState.HALTED, "until the owner resumes"


async def test_where_the_database_s_disk_is_full_nothing_is_sent_and_trading_halts(
    floor: Floor, server: DatabaseServer, url: str, open_folder: Path
) -> None:
    with a_full_disk(open_folder / "disk") as disk:
        await floor.open()
        server.move(url, "outbox", disk.folder / "tables")
        disk.fill()
        with pytest.raises(StoreFull), stopping_when_full(floor.desk):
            await floor.trade(a_signal())
        assert floor.broker.sent == []
        (halt,) = floor.desk.halt_file.read(at=floor.clock.now())
        assert (halt.source, halt.state) == ("disk", TradingState.HALTED)
        disk.empty()
        (denied,) = await floor.trade(a_signal())
        assert denied.status is OrderStatus.DENIED
        server.move(url, "outbox", None)
