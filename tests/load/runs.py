"""This is a session under load: frames over a real socket, bars in real stores, minute after minute."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from websockets.asyncio.server import ServerConnection

from adapters.kis.stream import KisStream
from adapters.market_data import Connected
from adapters.stores import Stores
from tasks.minute_bars import HISTORY_AFTER
from tasks.streaming import StreamSession
from tests.desks import Floor, a_floor
from tests.load.tapes import frames
from tests.odd_sockets import OddSocket, a_stream
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol
from trading.minute_bars import SETTLES, Difference
from trading.sessions import session_of
from trading.ticks import TradePrint

_MINUTE: Final = timedelta(minutes=1)
_ENOUGH: Final = 1_000_000
"""Frames that may wait: nothing may be lost of a load for want of room."""


@dataclass
class Loaded:
    """What came of a day."""

    day: date
    prints: int = 0
    unreadable: int = 0
    bars: dict[Symbol, tuple[Bar, ...]] = field(default_factory=dict)
    holes: int = 0
    mended: int = 0
    differences: Sequence[Difference] = ()
    seconds: float = 0
    longest_pulse: float = 0

    def __str__(self) -> str:
        """Say it in one line."""
        rate = self.prints / self.seconds if self.seconds else 0
        count = sum(map(len, self.bars.values()))
        return (
            f"{self.day}: {self.prints:,} ticks of {len(self.bars):,} symbols, {count:,} bars, "
            f"{self.holes} holes, {self.mended} histories read, {len(self.differences)} differences; "
            f"{rate:,.0f} ticks/s, longest pulse {self.longest_pulse * 1000:,.0f} ms"
        )


@dataclass
class _Line:
    """A socket, what hangs on it, and the market's clock."""

    floor: Floor
    session: StreamSession
    stream: KisStream
    sent: asyncio.Queue[str]
    loaded: Loaded

    async def hear(self, prints: Sequence[TradePrint], random: Random) -> None:
        """Send prints and wait until the session has them all."""
        expected = self.session.prints + len(prints)
        began = perf_counter()
        for text in frames(prints, random):
            self.sent.put_nowait(text)
        async with asyncio.timeout(120):
            while self.session.prints + self.session.unreadable < expected:  # noqa: ASYNC110 - counted where they are taken
                await asyncio.sleep(0.001)
        self.loaded.seconds += perf_counter() - began

    async def pulse(self, at: datetime) -> None:
        """Let the market's time be `at`, and the session store what is over."""
        self.floor.clock.move_to(at)
        began = perf_counter()
        await self.session.pulse()
        self.loaded.longest_pulse = max(self.loaded.longest_pulse, perf_counter() - began)

    async def follow_up(self) -> None:
        """Read every history that is wanted by now, in the market's time."""
        at = (self.floor.clock.now() - session_of(self.loaded.day).opens_at).total_seconds()
        while await self.session.minutes.follow_up(self.session.desk, at=at):
            pass


async def play(
    prints: Sequence[TradePrint],
    *,
    day: date,
    folder: Path,
    stores: Stores | None = None,
    history: Sequence[Bar] = (),
    random: Random,
) -> Loaded:
    """Let a session live through a day's prints, in the order in which they arrive.

    With a `history` holes are mended from it as it becomes known, and the day is completed after the close.
    """
    symbols = {each.symbol for each in prints}
    async with _a_line(folder, day, stores, symbols) as line:
        line.floor.market.load(history)
        for over_at, arrived in sorted(_by_minute(prints).items()):
            await line.hear(arrived, random)
            await line.pulse(over_at + SETTLES)
            await line.follow_up()
        line.loaded.holes = len(line.session.minutes.bars.holes())
        closes_at = session_of(day).closes_at
        await line.pulse(closes_at + _MINUTE + SETTLES)
        line.floor.clock.move_to(closes_at + _MINUTE + HISTORY_AFTER)
        if history:
            await line.follow_up()
        return _gathered(line, symbols)


def _gathered(line: _Line, symbols: set[Symbol]) -> Loaded:
    loaded, session, day = line.loaded, line.session, line.loaded.day
    loaded.prints, loaded.unreadable = session.prints, session.unreadable
    loaded.mended, loaded.differences = session.minutes.mended, session.minutes.differences
    with line.floor.stores.begin() as work:
        loaded.bars = {
            symbol: work.bars.between(symbol, Interval.MINUTE, first=day, last=day)
            for symbol in symbols
        }
    return loaded


def _by_minute(prints: Sequence[TradePrint]) -> dict[datetime, list[TradePrint]]:
    """Group by the minute in which they arrive: a late one with those that it comes after."""
    minutes: defaultdict[datetime, list[TradePrint]] = defaultdict(list)
    latest = prints[0].at
    for each in prints:
        latest = max(latest, each.at)
        minutes[latest.replace(second=0) + _MINUTE].append(each)
    return minutes


@asynccontextmanager
async def _a_line(
    folder: Path, day: date, stores: Stores | None, symbols: set[Symbol]
) -> AsyncIterator[_Line]:
    sent: asyncio.Queue[str] = asyncio.Queue()

    async def send(socket: ServerConnection) -> None:
        while True:
            await socket.send(await sent.get())

    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        sending = asyncio.create_task(send(socket))
        await socket.wait_closed()
        sending.cancel()

    floor = a_floor(folder, day=day, stores=stores)
    for symbol in symbols:
        floor.market.set_instrument(Instrument(symbol, symbol))
    async with a_stream(folder, OddSocket(talk), longest_backlog=_ENOUGH) as stream:
        session = StreamSession(replace(floor.desk, stream=stream))
        listening = asyncio.create_task(_listen(session, stream, min(symbols)))
        try:
            yield _Line(floor, session, stream, sent, Loaded(day))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(session: StreamSession, stream: KisStream, symbol: Symbol) -> None:
    """Take event after event, as a session does; the socket sends all symbols whatever was registered."""
    async for event in stream.events([symbol]):
        if not isinstance(event, Connected):
            await session.take(event)
