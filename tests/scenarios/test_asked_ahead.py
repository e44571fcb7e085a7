"""This is the price of a stop: it is asked for while the stop is stored, and once more only if it became old."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.notifier import Severity
from tasks.prices import asked_ahead, price_of
from tasks.streaming import StreamSession
from tests.builders import HYUNDAI, LG_CHEM
from tests.desks import Floor, an_exit
from trading.instruments import Symbol
from trading.orders import Side
from trading.ticks import Quote


async def test_a_stop_asks_once(floor: Floor, session: StreamSession) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.market.asked.clear()
    await session.take(floor.tick(380_000))
    assert floor.order().side is Side.SELL
    assert floor.market.asked == [LG_CHEM]


async def test_a_price_that_had_to_wait_is_asked_for_again(floor: Floor) -> None:
    """Another writer may hold the account for half a minute, and the market goes on."""
    await floor.open("10:00")
    floor.print(380_000)
    async with asked_ahead(floor.desk, LG_CHEM) as asked:
        await asked.answer
        floor.at("10:00:01")
        assert (await price_of(floor.desk, LG_CHEM, asked)).last == 380_000
        floor.print(370_000)
        assert (await price_of(floor.desk, LG_CHEM, asked)).last == 380_000, "a second old at most"
        floor.at("10:00:02")
        assert (await price_of(floor.desk, LG_CHEM, asked)).last == 370_000


async def test_the_price_of_another_symbol_is_asked_for(floor: Floor) -> None:
    await floor.open("10:00")
    async with asked_ahead(floor.desk, LG_CHEM) as asked:
        await asked.answer
        assert (await price_of(floor.desk, HYUNDAI, asked)).symbol == HYUNDAI
        assert (await price_of(floor.desk, LG_CHEM, None)).symbol == LG_CHEM
    assert floor.market.asked == [LG_CHEM, HYUNDAI, LG_CHEM]


async def test_a_price_that_cannot_be_read_leaves_the_stop_for_the_next_print(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    floor.market.lost.add(LG_CHEM)
    await session.take(floor.tick(380_000))
    assert floor.order().side is Side.BUY
    assert any("problem on the fill stream" in title for title in floor.titles(Severity.WARNING))
    floor.market.lost.clear()
    await session.pulse()
    await session.take(floor.tick(380_000))
    assert floor.order().side is Side.SELL


async def test_what_another_process_sold_needs_no_price(
    floor: Floor, session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that nobody waits for any more is given up, not waited for."""
    entry = await floor.hold()
    await session.pulse()
    guarded = session.guarded
    await floor.trade(an_exit(entry))
    floor.hear(*floor.print(380_000))
    session.guarded = guarded
    began: list[asyncio.Task[Any]] = []

    async def wait(_: Symbol) -> Quote:
        task = asyncio.current_task()
        assert task
        began.append(task)
        raise AssertionError(await asyncio.Event().wait())

    monkeypatch.setattr(floor.market, "quote", wait)
    await session.take(floor.tick(380_000))
    (question,) = began
    assert question.cancelled()
    assert [order.side for order in floor.orders] == [Side.BUY, Side.SELL]
