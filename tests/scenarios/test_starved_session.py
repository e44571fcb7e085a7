"""This is a session whose neighbours fail slowly or for long: what does not need them goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.market_data import Connected
from adapters.spools import Spool
from tasks import streaming
from tasks.streaming import StreamSession
from tests.builders import a_signal
from tests.desks import Floor
from trading.errors import DiskFull, Rejected, StoreUnavailable, Unavailable
from trading.orders import OrderStatus, Side


async def test_a_full_disk_keeps_nothing_waiting_that_the_database_takes(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prints that find no room in the spool must not hold back the fills that are in it."""
    session = StreamSession(replace(floor.desk, spool=Spool(tmp_path / "a.jsonl")))
    await floor.open()
    await session.pulse()
    order = (await floor.trade(a_signal()))[0]
    floor.at("09:00")
    session.spooling.is_away = True
    for notice in floor.print(401_000, auction=True):
        await session.take(notice)
    await session.take(floor.tick(401_000))
    monkeypatch.setattr(Spool, "_append", _refuse)
    await session.pulse()
    assert [fill.client_order_id for fill in floor.executions] == [order.client_order_id]
    assert not session.spooling.is_away


async def test_inquiries_that_time_out_hold_up_neither_kill_switch_nor_stops(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inquiry that takes longer than the pause between two would be followed by the next one for ever."""
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.broker.refusal = Rejected("not now", code="VI")
    await session.take(floor.tick(380_000))
    await session.take(Connected(floor.clock.now()))
    monkeypatch.setattr(streaming, "INQUIRY_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(streaming, "TRIPS_SECONDS", 0.0)
    floor.broker.on_inquiry += [_time_out] * 9
    session.tripped_at = 0.0
    for _ in range(5):
        await session.pulse()
        await session.take(floor.tick(380_000))
    assert session.tripped_at > 0
    refused = [order.status for order in floor.orders if order.side is Side.SELL]
    assert refused[:2] == [OrderStatus.REJECTED] * 2


async def test_a_stop_that_fails_with_the_database_goes_when_it_is_back(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No further print comes: the symbol is interrupted, or nobody trades it."""
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    with monkeypatch.context() as broken:
        broken.setattr(floor.market, "quote", _lose_the_database)
        await session.take(floor.tick(380_000))
    await session.pulse()
    assert floor.order().side is Side.SELL


def _refuse(*_: object) -> None:
    raise DiskFull("no space left")


async def _lose_the_database(*_: object) -> None:
    raise StoreUnavailable("it went while the order was being decided")


async def _time_out() -> None:
    await asyncio.sleep(0.03)
    raise Unavailable("no answer")
