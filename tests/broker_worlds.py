"""This is a broker with a market around it, three times: in memory, and KIS over the simulator in both environments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from adapters.broker import BrokerAdapter
from adapters.calendars import XkrxCalendar
from adapters.clock import Clock, FixedClock
from adapters.kis.access import Kis, open_kis
from adapters.kis.settings import KisSettings
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.histories import BUNDLED
from adapters.kis_sim.options import Options, Profile, default_credential
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.server import Simulator
from adapters.market_data import MarketData
from adapters.memory.broker import MemoryBroker
from adapters.memory.market_data import MemoryMarketData
from plugins.brokers import CheckedBroker, open_foreign_broker
from plugins.settings import PluginGroup
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, SAMSUNG, an_intent, looks_good, seoul
from tests.kis_worlds import settings_for
from tests.plugin_files import EXAMPLES, approved
from trading.broker_books import Acceptance
from trading.instruments import Instrument
from trading.orders import OrderIntent
from trading.ticks import TradePrint

CASH = 100_000_000
BASE = 430_000
PARTS_OF_A_PRINT = 10


class BrokerWorld(Protocol):
    """What a test of any broker needs: the broker, and a hand on time and on the market."""

    @property
    def broker(self) -> BrokerAdapter:
        """The account."""
        ...

    @property
    def market_data(self) -> MarketData:
        """The prices."""
        ...

    def now(self) -> datetime:
        """Give the market's time."""
        ...

    async def move_to(self, clock: str, *, day: date = A_DAY) -> None:
        """Let time pass until `clock` (HH:MM[:SS]) of `day` in Seoul."""
        ...

    async def place(self, *, fills: int, **changes: Any) -> Acceptance:
        """Place an order that can trade, and let exactly `fills` shares of it."""
        ...


@dataclass(slots=True)
class MemoryWorld:
    """The paper broker in memory, at a price that stands still; asked as it is, or `through` another."""

    book: MemoryBroker
    market_data: MemoryMarketData
    clock: FixedClock
    through: BrokerAdapter | None = None

    @property
    def broker(self) -> BrokerAdapter:
        """The account."""
        return self.through or self.book

    def now(self) -> datetime:
        """Give the market's time."""
        return self.clock.now()

    async def move_to(self, clock: str, *, day: date = A_DAY) -> None:
        """Move the clock; a day that ends takes its open orders with it."""
        if seoul(day, clock) >= seoul(day, "15:30"):
            self.book.end_day()
        self.clock.move_to(seoul(day, clock))

    async def place(self, *, fills: int, **changes: Any) -> Acceptance:
        """Place, then play a print of which our part is `fills`."""
        intent = an_intent(**changes)
        receipt = await self.broker.place(intent, last_look=looks_good)
        if fills:
            price = self.market_data.last(intent.symbol)
            volume = fills * PARTS_OF_A_PRINT
            trade = TradePrint(intent.symbol, price, volume, self.now(), cumulative_volume=volume)
            self.book.play_print(trade)
        return receipt


@dataclass(slots=True)
class SimulatorClock:
    """The simulator's time, read in the same process."""

    simulator: Simulator

    def now(self) -> datetime:
        """Give the market's time."""
        return self.simulator.simulation.now()


@dataclass(slots=True)
class KisWorld:
    """KIS, played by the simulator on real prices of January 2018."""

    kis: Kis
    simulator: Simulator
    settings: KisSettings
    clock: Clock

    @property
    def broker(self) -> BrokerAdapter:
        """The account."""
        return self.kis.broker

    @property
    def market_data(self) -> MarketData:
        """The prices."""
        return self.kis.market_data

    def now(self) -> datetime:
        """Give the market's time."""
        return self.simulator.simulation.now()

    async def move_to(self, clock: str, *, day: date = A_DAY) -> None:
        """Let the simulator play on."""
        await self.simulator.advance_to(seoul(day, clock))

    async def place(self, *, fills: int, **changes: Any) -> Acceptance:
        """Place with a fault that lets no more than `fills` through."""
        self.set_faults(partial_fills={"max_quantity": fills} if fills else None)
        return await self.broker.place(an_intent(**changes), last_look=looks_good)

    def set_faults(self, **faults: Any) -> None:
        """Switch these faults on or off, and leave the others."""
        self.simulator.simulation.faults.change(faults, at=self.now())

    def true_orders(self) -> list[dict[str, Any]]:
        """Give the orders that the simulator really has."""
        orders: list[dict[str, Any]] = self.simulator.book()["accounts"][0]["orders"]
        return orders


@asynccontextmanager
async def a_memory_world(home: Path) -> AsyncIterator[MemoryWorld]:
    """Open the paper broker at 08:00 of the day."""
    del home
    clock = FixedClock(seoul(A_DAY, "08:00"))
    instruments = [Instrument(LG_CHEM, "LG화학"), Instrument(SAMSUNG, "삼성전자")]
    market_data = MemoryMarketData(instruments, clock=clock)
    market_data.set_base(LG_CHEM, BASE)
    market_data.set_base(SAMSUNG, 50_000)
    broker = MemoryBroker(
        market_data, account=ACCOUNT, cash=CASH, clock=clock, calendar=XkrxCalendar()
    )
    yield MemoryWorld(broker, market_data, clock)


@asynccontextmanager
async def a_plugin_world(home: Path) -> AsyncIterator[MemoryWorld]:
    """Open the broker of the handbook, as the plug-in that it is, at 08:00 of the day."""
    clock = FixedClock(seoul(A_DAY, "08:00"))
    stocks = {str(LG_CHEM): ("LG화학", BASE), str(SAMSUNG): ("삼성전자", 50_000)}
    parameters = {"account": ACCOUNT, "cash": CASH, "stocks": stocks}
    source = f"{EXAMPLES / 'paper_house.py'}:open_house"
    plugin = approved(source, PluginGroup.BROKER, parameters=parameters)
    async with open_foreign_broker(plugin, home=home, clock=clock) as house:
        assert isinstance(house.broker, CheckedBroker)
        assert isinstance(house.broker.theirs, MemoryBroker)
        assert isinstance(house.market_data, MemoryMarketData)
        yield MemoryWorld(house.broker.theirs, house.market_data, clock, house.broker)


@asynccontextmanager
async def a_kis_world(
    home: Path,
    environment: Environment = Environment.PAPER,
    *,
    profile: Profile = Profile.CURRENT,
    data: Path = BUNDLED,
    **changes: Any,
) -> AsyncIterator[KisWorld]:
    """Open KIS over a simulator at 08:00 of the day, with prices of its own if need be; `changes` are the settings'."""
    options = Options(
        mode=Mode(environment.value),
        accounts=(ACCOUNT,),
        cash=CASH,
        hts_id="hts01",
        is_paced=False,
        profile=profile,
        data=data,
        day=A_DAY,
    )
    credential = default_credential(environment)
    async with Simulator(options) as simulator:
        await simulator.advance_to(seoul(A_DAY, "08:00"))
        settings = settings_for(
            simulator.url,
            simulator.ws_url,
            **{
                "environment": environment.value,
                "appkey": credential.appkey,
                "appsecret": credential.appsecret,
                **changes,
            },
        )
        clock = SimulatorClock(simulator)
        async with open_kis(settings, home=home, clock=clock) as kis:
            yield KisWorld(kis, simulator, settings, clock)


def an_intent_to_buy(**changes: Any) -> OrderIntent:
    """Give a buy of 10 LG Chem below the market."""
    return an_intent(**({"quantity": 10, "limit_price": 400_000} | changes))
