"""This is keys to look on with: they read all there is, and nothing that they send could be an order."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from adapters.kis.access import open_kis
from tests.broker_worlds import KisWorld, a_kis_world, an_intent_to_buy
from tests.builders import A_DAY, looks_good
from trading.errors import Withheld
from trading.orders import OrderType


async def test_neither_an_order_nor_a_cancel_arrives_and_reading_works(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        resting = await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        book = world.simulator.book()
        settings = world.settings.model_copy(update={"is_read_only": True})
        looked: list[str] = []
        async with open_kis(settings, home=tmp_path, clock=world.clock) as kis:
            with pytest.raises(Withheld, match="READ_ONLY keys of scope read"):
                await kis.broker.place(
                    an_intent_to_buy(), last_look=lambda: looked.append("looked")
                )
            with pytest.raises(Withheld, match="READ_ONLY"):
                await kis.broker.cancel(
                    broker_order_id=resting.broker_order_id,
                    branch=resting.branch,
                    order_type=OrderType.LIMIT,
                )
            (seen,) = await kis.broker.orders_of_day(A_DAY)
            assert (await kis.broker.get_balance()).cash > 0
        assert seen.broker_order_id == resting.broker_order_id
        assert looked == [], "not even the last look was reached"
        assert world.simulator.book() == book


async def test_no_connection_is_opened_for_a_refused_order(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        settings = world.settings.model_copy(update={"is_read_only": True})
        async with open_kis(settings, home=tmp_path, clock=world.clock) as kis:
            before = await _calls(world)
            with pytest.raises(Withheld):
                await kis.broker.place(an_intent_to_buy(), last_look=looks_good)
            assert await _calls(world) == before


async def _calls(world: KisWorld) -> int:
    async with httpx.AsyncClient(base_url=world.simulator.url) as http:
        return int((await http.get("/sim/clock")).json()["calls"])
