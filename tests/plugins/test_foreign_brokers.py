"""This is a broker that is not ours: what it raises and answers besides the contract becomes an error of ours.

That the broker of the handbook keeps the whole contract, tests/contracts/test_broker_adapter.py shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.clock import FixedClock
from adapters.memory.broker import MemoryBroker
from flows.brokers import open_house
from flows.kept_keys import KeysSettings
from flows.settings import Settings
from plugins.brokers import CheckedBroker, open_foreign_broker
from plugins.settings import PluginGroup
from tests.broker_worlds import a_plugin_world
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, an_intent, looks_good, seoul
from tests.desks import a_channel
from tests.plugin_files import EXAMPLES, approved
from trading.errors import (
    InvalidSetting,
    LeaseLost,
    OutcomeUnknown,
    PluginFault,
    Unavailable,
    Withheld,
)
from trading.orders import OrderType

HOUSE = f"{EXAMPLES / 'paper_house.py'}:open_house"
PARAMETERS = {"account": ACCOUNT, "cash": 1_000_000, "stocks": {"051910": ("LG화학", 430_000)}}
CLOCK = FixedClock(seoul(A_DAY, "10:00"))


class Broken(MemoryBroker):
    """A broker of which every call ends as a test wants."""

    def __init__(self, ends: Any) -> None:
        """Take an exception to raise, or an answer to give."""
        self._ends = ends

    async def _end(self, *_: Any, **__: Any) -> Any:
        if isinstance(self._ends, Exception):
            raise self._ends
        return self._ends

    place = cancel = get_balance = get_positions = orders_of_day = buyable = get_price = _end


@pytest.mark.parametrize("ends", [ValueError("on purpose"), None, {"number": 7}])
async def test_an_order_that_ends_in_anything_else_is_in_doubt(ends: Any) -> None:
    broker = CheckedBroker("tried", Broken(ends))
    with pytest.raises(OutcomeUnknown, match="tried"):
        await broker.place(an_intent(), last_look=looks_good)
    with pytest.raises(OutcomeUnknown, match="tried"):
        await broker.cancel(broker_order_id="1", branch="", order_type=OrderType.LIMIT)


@pytest.mark.parametrize("ends", [ValueError("on purpose"), None, [], ("row",)])
async def test_an_answer_that_is_none_is_unavailable(ends: Any) -> None:
    broker = CheckedBroker("tried", Broken(ends))
    for asked in (
        broker.get_price(LG_CHEM),
        broker.get_balance(),
        broker.get_positions(),
        broker.orders_of_day(A_DAY),
        broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=1),
    ):
        with pytest.raises(Unavailable, match="tried"):
            await asked


async def test_what_keeps_an_order_from_leaving_goes_through() -> None:
    with pytest.raises(LeaseLost):
        await CheckedBroker("tried", Broken(LeaseLost("taken"))).place(
            an_intent(), last_look=looks_good
        )


async def test_a_broker_that_changed_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "paper_house.py"
    path.write_bytes((EXAMPLES / "paper_house.py").read_bytes())
    plugin = approved(f"{path}:open_house", PluginGroup.BROKER, parameters=PARAMETERS)
    path.write_text(path.read_text() + "#", encoding="utf-8")
    with pytest.raises(InvalidSetting, match="what was approved"):
        async with open_foreign_broker(plugin, home=tmp_path, clock=CLOCK):
            pass


async def test_a_house_is_a_house(tmp_path: Path) -> None:
    path = tmp_path / "tried.py"
    for text, reason in (
        ("def open_house(**_): ...", "an async context manager expected"),
        (
            (
                "from contextlib import asynccontextmanager\n@asynccontextmanager\n"
                "async def open_house(**_):\n    yield 7"
            ),
            "a House expected, not int",
        ),
    ):
        path.write_text(f"INTERFACE = 1\n{text}\n", encoding="utf-8")
        plugin = approved(f"{path}:open_house", PluginGroup.BROKER)
        with pytest.raises(PluginFault, match=reason):
            async with open_foreign_broker(plugin, home=tmp_path, clock=CLOCK):
                pass


async def test_the_channel_chooses_the_broker(tmp_path: Path) -> None:
    plugin = approved(HOUSE, PluginGroup.BROKER, parameters=PARAMETERS, id="paper-house")
    plugins = [plugin.model_dump(mode="json")]
    channel = a_channel(broker="plugin:paper-house", plugins=plugins)
    settings = Settings(_env_file=None, home=tmp_path, account_number=ACCOUNT)
    async with open_house(settings, channel, CLOCK) as house:
        assert isinstance(house.broker, CheckedBroker)
        assert (await house.broker.get_balance()).equity == 1_000_000
        assert (await house.broker.get_price(LG_CHEM)).last == 430_000
    assert settings.account == ACCOUNT
    with pytest.raises(ValueError, match=r"broker='plugin:nobody': one of kis, plugin:paper-house"):
        a_channel(broker="plugin:nobody", plugins=plugins)


async def test_one_to_look_on_is_never_asked_to_place_or_cancel(tmp_path: Path) -> None:
    plugin = approved(HOUSE, PluginGroup.BROKER, parameters=PARAMETERS, id="paper-house")
    plugins = [plugin.model_dump(mode="json")]
    channel = a_channel(broker="plugin:paper-house", plugins=plugins)
    settings = Settings(_env_file=None, home=tmp_path, keys=KeysSettings(scope="read"))
    async with open_house(settings, channel, CLOCK) as house:
        with pytest.raises(Withheld, match="READ_ONLY keys of scope read"):
            await house.broker.place(an_intent(), last_look=looks_good)
        with pytest.raises(Withheld, match="READ_ONLY"):
            await house.broker.cancel(broker_order_id="1", branch="", order_type=OrderType.LIMIT)
        assert await house.broker.orders_of_day(A_DAY) == ()
        assert (await house.broker.get_balance()).equity == 1_000_000


async def test_orders_go_through_the_checks(tmp_path: Path) -> None:
    async with a_plugin_world(tmp_path) as world:
        await world.move_to("09:05")
        receipt = await world.place(fills=3, quantity=10, limit_price=440_000)
        (row,) = await world.broker.orders_of_day(A_DAY)
        assert (row.broker_order_id, row.filled_quantity) == (receipt.broker_order_id, 3)
