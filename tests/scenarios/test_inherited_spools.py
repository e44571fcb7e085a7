"""This is a session that finds a great deal left on disk: everything else goes on while it is applied, in its order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.spools import Spool
from tasks import spooling
from tasks.fills import NoticeOutcome
from tasks.streaming import StreamSession
from tests.builders import LG_CHEM, a_signal
from tests.desks import Floor
from tests.store_samples import a_notice
from trading.bars import Interval
from trading.notices import Notice
from trading.orders import Side
from trading.ticks import TradePrint

LEFT = 95
"""Prints of a share each; one drain counts 20 of them here."""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty one."""
    return Spool(tmp_path / "spool" / "a.jsonl")


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain that counts 20 prints, ten at once."""
    monkeypatch.setattr(spooling, "PRINTS_AT_ONCE", 10)
    monkeypatch.setattr(spooling, "TURNS", 2)


async def test_a_stop_goes_while_what_was_inherited_is_counted(floor: Floor, spool: Spool) -> None:
    await floor.hold()
    left = [printed(floor, 401_000, number) for number in range(1, LEFT + 1)]
    spool.keep(left, trading_day=floor.desk.today())
    session = StreamSession(replace(floor.desk, spool=spool))
    await session.pulse()
    assert not spool.is_empty
    floor.print(380_000)
    await session.take(printed(floor, 380_000, LEFT + 1))
    assert floor.order().side is Side.SELL
    floor.at("10:02")
    await session.pulse()
    assert volumes(floor) == [], "a bar that lacks half of its prints"
    while not spool.is_empty:
        await session.pulse()
    await session.pulse()
    assert volumes(floor) == [LEFT + 1]


async def test_what_comes_meanwhile_is_applied_behind_what_was_left(
    floor: Floor, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[str] = []
    has_begun = asyncio.Event()

    def apply(_desk: object, notice: Notice, **_: object) -> NoticeOutcome:
        applied.append(notice.broker_order_id)
        has_begun.set()
        return NoticeOutcome.NEEDS_INQUIRY

    monkeypatch.setattr(spooling, "apply_notice", apply)
    await floor.open()
    names = [f"{number:010}" for number in range(40)]
    spool.keep([noted(name) for name in names[:30]], trading_day=floor.desk.today())
    session = StreamSession(replace(floor.desk, spool=spool))

    async def hear() -> None:
        for name in names[30:]:
            await session.take(noted(name))
            await asyncio.sleep(0)

    pulse = asyncio.create_task(session.pulse())
    async with asyncio.timeout(10):
        await has_begun.wait()
    await hear()
    assert len(applied) < len(names), "it never gave way"
    await pulse
    assert applied == names
    assert spool.is_empty


async def test_an_outage_in_the_middle_of_it_loses_and_doubles_nothing(
    floor: Floor, spool: Spool
) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00:10")
    left = [printed(floor, 401_000, number) for number in range(1, LEFT + 1)]
    spool.keep(left, trading_day=floor.desk.today())
    session = StreamSession(replace(floor.desk, spool=spool))
    await session.pulse()
    session.spooling.is_away = True
    await session.take(printed(floor, 401_000, LEFT + 1))
    for notice in floor.print(401_000, auction=True):
        await session.take(notice)
    floor.at("09:02")
    while not spool.is_empty:
        await session.pulse()
    await session.pulse()
    assert volumes(floor) == [LEFT + 1]
    assert sum(fill.quantity for fill in floor.executions) == floor.order().quantity
    floor.assert_books_agree()


def printed(floor: Floor, price: int, number: int) -> TradePrint:
    """Give the day's print of that number, of one share."""
    return TradePrint(LG_CHEM, price, 1, floor.clock.now(), number)


def noted(name: str) -> Notice:
    """Give a notice of an order of its own."""
    return replace(a_notice(), broker_order_id=name)


def volumes(floor: Floor) -> list[int]:
    """Give the volumes of the day's stored minute bars of the stream."""
    day = floor.desk.today()
    with floor.stores.begin() as work:
        bars = work.bars.between(LG_CHEM, Interval.MINUTE, first=day, last=day)
    return [bar.volume for bar in bars if bar.source == "stream"]
