"""This is what a run is played on: a job's database and warm parts, and the desk that a process opens on them."""

from __future__ import annotations

import asyncio
import selectors
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Engine, create_engine

from adapters.calendars import XkrxCalendar
from adapters.halt_files import HaltFile
from adapters.kis.auth import Auth
from adapters.kis.broker import KisBroker
from adapters.kis.client import KisClient, open_http
from adapters.kis.market_data import KisMarketData
from adapters.kis.settings import KisSettings
from adapters.kis.stream import KisStream
from adapters.kis.throttle import Priority, Throttle
from adapters.kis_sim.options import default_credential
from adapters.kis_sim.orders import Environment
from adapters.memory.notifier import MemoryNotifier
from adapters.postgres import engine as engines
from adapters.postgres import stores as postgres_stores
from adapters.postgres.stores import PostgresStores
from adapters.wording import Wording
from tasks.desk import Desk
from tests.chaos.hands import Hands, SharedClock
from tests.chaos.memories import WatchedStores
from tests.chaos.scenarios import SLOW_REPLY, Scenario
from tests.chaos.steps import Diary, Trap
from tests.chaos.wires import Greeting, WatchedBroker, WatchedStream, Wire
from tests.desks import a_channel
from trading.instruments import Symbol

PRICES: Final = {
    Symbol("051910"): 437_000,
    Symbol("005930"): 48_540,
    Symbol("005380"): 155_000,
    Symbol("035420"): 184_200,
    Symbol("015760"): 36_200,
    Symbol("068270"): 343_840,
}
"""The closing prices, in won, of the day before; more symbols than can be in doubt at once."""
HTS_ID: Final = "maemae"
HASTE: Final = 10
"""Seconds that pass in a process's event loop while one real second does: pauses and time-outs shrink alike."""
SESSION: Final = "-c timezone=UTC -c lock_timeout=15s -c idle_in_transaction_session_timeout=2s"
"""The product's own settings of a connection, with less patience for a process that sleeps in a transaction."""


class _HastySelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout and timeout / HASTE)


class HastyLoop(asyncio.SelectorEventLoop):
    """An event loop in which time runs faster, so that waiting costs little."""

    def __init__(self) -> None:
        super().__init__(_HastySelector())

    def time(self) -> float:
        """Give the loop's seconds."""
        return super().time() * HASTE


def play[Result](story: Coroutine[Any, Any, Result]) -> Result:
    """Carry out a story in a hasty loop."""
    return asyncio.run(story, loop_factory=HastyLoop)


class Unpaced(Throttle):
    """A pace that keeps nobody waiting: the simulator limits nothing here."""

    async def wait_turn(self, priority: Priority) -> None:
        """Return at once."""

    async def hold_back(self) -> None:
        """Return at once."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What all runs of a job share: made before the first process is forked."""

    url: str
    tls: ssl.SSLContext
    engine: Engine
    calendar: XkrxCalendar
    wording: Wording
    clock: SharedClock

    def stores(self, account: str) -> PostgresStores:
        """Open an account's memory on the warm engine, whose pool is empty in a new process."""
        self.engine.dispose(close=False)
        return PostgresStores(self.url, channel="dev", account=account)


def a_stage(url: str) -> Stage:
    """Make a job's stage on a migrated database."""
    engine = create_engine(
        engines.parse_url(url),
        pool_size=2,
        connect_args={**engines.CONNECT, "options": SESSION},
    )
    # One engine for all processes of the job: statements are compiled once, before the first fork.
    put(postgres_stores, "open_engine", lambda _url: engine)
    tls = httpx.create_ssl_context()
    return Stage(url, tls, engine, XkrxCalendar(), Wording("en"), SharedClock())


@dataclass(frozen=True, slots=True)
class Place:
    """What the processes of one run share: the account, a folder, the running simulator."""

    stage: Stage
    scenario: Scenario
    folder: Path
    account: str
    url: str = ""
    ws_url: str = ""

    @property
    def diary(self) -> Diary:
        """What happened so far."""
        return Diary(self.folder / "diary.jsonl")

    @property
    def hands(self) -> Hands:
        """The simulator's own door."""
        return Hands(self.url, self.account, self.stage.clock)

    @property
    def settings(self) -> KisSettings:
        """How the product reaches the simulator. Seconds are the hasty loop's."""
        credential = default_credential(Environment(self.scenario.environment))
        return KisSettings(
            environment=self.scenario.environment,
            base_url=self.url,
            ws_url=self.ws_url,
            appkey=credential.appkey,
            appsecret=credential.appsecret,
            account=self.account,
            hts_id=HTS_ID,
            timeout_seconds=3 if self.scenario.fault == SLOW_REPLY else 60,
            retry_seconds=0.5,
        )


@asynccontextmanager
async def a_desk(place: Place, trap: Trap, greet: Greeting) -> AsyncIterator[Desk]:
    """Open the product's desk as `flows.desk` does, every part the real one, with traps around it."""
    settings, stage, clock = place.settings, place.stage, place.stage.clock
    wire = Wire(trap, place.diary, place.hands)
    async with (
        open_http(settings, stage.tls, keeps_alive=True) as reading,
        open_http(settings, stage.tls, keeps_alive=False) as ordering,
    ):
        ordering.event_hooks = {"request": [wire.watch]}
        auth = Auth(settings, http=ordering, folder=place.folder / "tokens", clock=clock)
        throttle = Unpaced(place.folder / "pace", "chaos", calls_per_second=1)
        client = KisClient(
            settings, auth=auth, throttle=throttle, reading=reading, ordering=ordering
        )
        market_data = KisMarketData(client, clock)
        broker = KisBroker(client, market_data, clock)
        stream = KisStream(settings, auth=auth, clock=clock)
        stores = stage.stores(place.account)
        yield Desk(
            account=place.account,
            channel=_channel(place.scenario),
            version=1,
            clock=clock,
            calendar=stage.calendar,
            stores=WatchedStores(stores, trap),
            access=auth,
            broker=WatchedBroker(broker, wire, greet),
            market_data=market_data,
            stream=WatchedStream(stream, trap),
            notifier=MemoryNotifier(),
            wording=stage.wording,
            halt_file=HaltFile(place.folder / "halt.json"),
        )
        stores.close()


def _channel(scenario: Scenario) -> Any:
    return a_channel(
        watch_list=list(PRICES),
        sizing={
            "target_weight": "0.003",
            "limit_offset": scenario.offset,
            "exit_type": scenario.exit_type.value,
        },
        risk={
            "maximum_weight": "0.9",
            "maximum_quantity_per_symbol": 100_000,
            "maximum_order_value": 10**12,
            "maximum_daily_value": 10**12,
            "orders_per_minute": 60_000,
            "reject_streak": 100,
            "symbol_failures": 100,
            "price_collar": "0.3",
            "stop_cooldown_sessions": 0,
        },
    )


def put(owner: object, name: str, thing: object) -> None:
    """Put a thing in the place of what `owner` knows by `name`.

    Raises:
        AttributeError: when it knows no such name: a replacement that replaces nothing tests nothing.
    """
    getattr(owner, name)
    setattr(owner, name, thing)
