"""This is trading days without Prefect: prefect.yaml's acts at their times, on the KIS adapter over the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from adapters.calendars import XkrxCalendar
from adapters.halt_files import HaltFile
from adapters.kis.access import open_kis
from adapters.kis.settings import KisSettings
from adapters.kis_sim.control import place_by_hand
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import Options, default_credential
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.server import Simulator
from adapters.memory.notifier import MemoryNotifier
from adapters.memory.stores import MemoryStores
from adapters.stores import Stores
from adapters.wording import Wording
from deployments.entries import read_entries
from tasks.bars import ingest_daily_bars, symbols_to_keep
from tasks.channels import ChannelSettings
from tasks.desk import Desk
from tasks.halts import lift_halt
from tasks.orders import trade
from tasks.readiness import make_ready, settle_doubts
from tasks.reconciliation import reconcile
from tasks.reports import close_day
from tasks.signals import evaluate_bars, evaluate_exits
from tasks.streaming import StreamSession
from tasks.tokens import refresh_calendar, refresh_token_of
from tests.broker_worlds import CASH, SimulatorClock
from tests.builders import ACCOUNT, seoul
from tests.kis_worlds import settings_for
from trading.errors import MaemaeError
from trading.instruments import Symbol
from trading.sessions import session_of

SPACING: Final = 300
"""Seconds of market time between two prints of a symbol: few, so that a day passes in a second."""
QUIET: Final = 0.004
"""Real seconds without an event after which the stream is taken to have heard all of a slice."""


@dataclass
class Days:
    """A desk on a simulator that stands early on its first day, and the hands that move both."""

    desk: Desk
    simulator: Simulator
    settings: KisSettings
    folder: Path
    stream: StreamSession | None = None
    by_hand: tuple[str, int] | None = None
    """Symbol and shares that the owner buys himself once the market is open."""

    async def play(self, days: Iterable[date]) -> None:
        """Play whole days, each with a connection of its own."""
        for day in days:
            async with open_kis(self.settings, home=self.folder, clock=self.desk.clock) as kis:
                self.desk = replace(
                    self.desk,
                    access=kis.auth,
                    broker=kis.broker,
                    market_data=kis.market_data,
                    stream=kis.stream,
                    broker_clock=kis.clock,
                )
                await self._play_day(day)

    def set_faults(self, **faults: Any) -> None:
        """Switch these faults on or off, and leave the others."""
        self.simulator.simulation.faults.change(faults, at=self.desk.now())

    async def _buy_by_hand(self) -> None:
        """Buy in HTS at the market, as the owner may."""
        if self.by_hand and self.desk.now() >= session_of(self.desk.today()).opens_at:
            (symbol, quantity), self.by_hand = self.by_hand, None
            price = (await self.desk.market_data.quote(Symbol(symbol))).upper_limit
            order = {"symbol": symbol, "side": "BUY", "quantity": quantity, "price": price}
            place_by_hand(self.simulator.simulation, {"account": ACCOUNT, **order})

    def _resume(self) -> None:
        """Go on after whatever stopped trading the day before, as the owner may."""
        with self.desk.stores.begin() as work:
            halts = self.desk.halts(work)
        for halt in halts:
            scope = {"strategy_id": halt.strategy_id, "symbol": halt.symbol}
            lift_halt.fn(self.desk, source=halt.source, reason="a new day", **scope)

    async def _play_day(self, day: date) -> None:
        self._resume()
        reader: asyncio.Task[None] | None = None
        for at, name in timetable(day):
            await self._pass_time(at)
            if name == "stream-fills":
                self.stream = StreamSession(self.desk)
                reader = asyncio.create_task(_read(self.stream))
            else:
                with suppress(MaemaeError):  # a flow that fails is told, and the day goes on
                    await ACTS[name](self.desk)
        if reader:
            reader.cancel()
            with suppress(asyncio.CancelledError, MaemaeError):
                await reader
        self.stream = None

    async def _pass_time(self, at: datetime) -> None:
        """Let the market play up to `at`; while the stream listens, print by print."""
        session = session_of(self.desk.today())
        while self.stream and (now := self.desk.now()) < min(at, session.closes_at):
            following = max(now + timedelta(seconds=SPACING), session.opens_at)
            await self.simulator.advance_to(min(following, at))
            await self._buy_by_hand()
            await self._listen(self.stream)
        await self.simulator.advance_to(at)

    async def _listen(self, stream: StreamSession) -> None:
        heard = -1
        while heard != (heard := stream.prints + stream.notices + stream.inquiries):
            await asyncio.sleep(QUIET)
            await stream.pulse()
        await settle_doubts(self.desk, within=3)  # the market stands meanwhile, as in the demo


async def _read(stream: StreamSession) -> None:
    async with aclosing(stream.desk.stream.events(stream.desk.channel.symbols)) as events:
        async for event in events:
            await stream.take(event)


async def _ingest(desk: Desk) -> None:
    await ingest_daily_bars.fn(desk, symbols_to_keep(desk))


async def _sign_in(desk: Desk) -> None:
    await refresh_token_of.fn(desk)
    await refresh_calendar.fn(desk)


async def _decide(desk: Desk) -> None:
    evaluate_bars.fn(desk)
    await evaluate_exits.fn(desk)


async def _place(desk: Desk) -> None:
    await make_ready(desk)
    with desk.stores.begin() as work:
        signals = work.signals.of_day(desk.today())
    await trade.fn(desk, signals)
    await settle_doubts(desk, within=30)


async def _reconcile(desk: Desk) -> None:
    await reconcile.fn(desk)
    await settle_doubts(desk, within=60)


async def _report(desk: Desk) -> None:
    await close_day(desk, desk.today())


ACTS: Final[Mapping[str, Callable[[Desk], Awaitable[None]]]] = {
    "refresh-token": _sign_in,
    "ingest-bars": _ingest,
    "generate-signals": _decide,
    "place-orders": _place,
    "reconcile-fills": _reconcile,
    "eod-report": _report,
}
"""What each flow does, without its guards, its log and its artifacts."""


def timetable(day: date) -> Sequence[tuple[datetime, str]]:
    """Give what prefect.yaml runs on a weekday, in order."""
    due = []
    for entry in read_entries():
        for schedule in entry.schedules:
            minute, hour, *_ = schedule.cron.split()
            due.append((seoul(day, f"{int(hour):02}:{int(minute):02}"), entry.name))
    return sorted(due)


@asynccontextmanager
async def simulated_days(
    first: date,
    channel: ChannelSettings,
    folder: Path,
    *,
    stores: Stores | None = None,
    seed: int = 1,
) -> AsyncIterator[Days]:
    """Open a desk with 100,000,000 won on a simulator at the beginning of `first`."""
    credential = default_credential(Environment.PAPER)
    options = Options(
        mode=Mode.PAPER,
        accounts=(ACCOUNT,),
        cash=CASH,
        hts_id="hts01",
        is_paced=False,
        day=first,
        spacing=SPACING,
        seed=seed,
        token_interval=0,
    )
    async with Simulator(options) as simulator:
        settings = settings_for(
            simulator.url,
            simulator.ws_url,
            appkey=credential.appkey,
            appsecret=credential.appsecret,
            timeout_seconds=60,
        )
        clock = SimulatorClock(simulator)
        async with open_kis(settings, home=folder, clock=clock) as kis:
            desk = Desk(
                account=ACCOUNT,
                channel=channel,
                version=1,
                clock=clock,
                calendar=XkrxCalendar(),
                stores=stores or MemoryStores(channel="dev", account=ACCOUNT),
                access=kis.auth,
                broker=kis.broker,
                market_data=kis.market_data,
                stream=kis.stream,
                notifier=MemoryNotifier(),
                wording=Wording("en"),
                halt_file=HaltFile(folder / "halt.json"),
            )
        yield Days(desk, simulator, settings, folder)
