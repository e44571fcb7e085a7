"""This is how long a stop takes from its tick to the wire, while 500 ticks a second come in."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from adapters.clock import FixedClock
from adapters.kis.auth import Auth
from adapters.kis.stream import KisStream
from bench.feeds import NOTHING
from bench.figures import Aim, Samples, Section
from bench.placement import a_commit, a_round_trip, next_signal
from bench.places import SYMBOLS, Place, a_desk
from bench.probes import Probe, listening
from tasks.desk import Desk
from tasks.garbage import spare_long_collections
from tasks.orders import trade
from tasks.processors import LATENCY
from tasks.reconciliation import reconcile
from tasks.streaming import StreamSession

MARGIN: Final = 0.020
"""Seconds that maemae itself may take."""
_CRASH: Final = 1_000
"""A price in won that every stop is above."""
_MAY: Final = "may" if os.access(LATENCY, os.W_OK) else "may not"
NOTES: Final = (
    "From the feed's send call, in a process of its own, to the last byte of the sell order; a whole session runs beside.",
    "Real KIS adapter, simulator in a process of its own, PostgreSQL with fsync. One stop a day and symbol.",
    f"No processor sleeps during a stop where maemae may ask for that: here it {_MAY}.",
)


@dataclass(frozen=True)
class Feed:
    """The process that plays the socket."""

    process: Process
    port: int

    async def trade(self, symbol: str, day: date, price: int) -> float:
        """Let a symbol trade; give when that was sent."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the feed has no pipes")
        self.process.stdin.write(f"{symbol} {day} {price}\n".encode())
        return float(await self.process.stdout.readline())


async def measure_exits(place: Place, orders: int) -> Section:
    """Hold and stop out `orders` positions, each booked before the next one."""
    times: dict[str, list[float]] = {"wire": [], "reads": [], "round trip": [], "commit": []}
    clock = FixedClock(await place.to("10:00"))
    with listening() as probe, a_commit(place) as commit:
        async with a_desk(place, clock) as plain, a_round_trip(place) as go_round, a_feed() as feed:
            desk = replace(plain, stream=_listening(place, plain, feed, clock))
            await reconcile.fn(desk)
            spare_long_collections()  # as the process of a real day does
            while len(times["wire"]) < orders:
                await feed.trade(NOTHING, desk.today(), 0)
                async with a_session(desk) as session:
                    for number in range(len(SYMBOLS)):
                        sample = await _stop_out(session, number * 2, probe, feed)
                        sample |= {"round trip": await go_round(), "commit": commit()}
                        for name, figure in sample.items():
                            times[name].append(figure)
                clock.move_to(
                    await place.to("10:00", day=desk.calendar.next_trading_day(desk.today()))
                )
                await reconcile.fn(desk)
    return _section(times)


async def _stop_out(
    session: StreamSession, number: int, probe: Probe, feed: Feed
) -> dict[str, float]:
    """Buy, wait until the session guards it, and let the price crash."""
    desk = session.desk
    signal = await next_signal(desk, number)
    await trade.fn(desk, [signal])
    session.wants_inquiry = True
    await _until(lambda: bool(session.guarded.get(signal.symbol)))
    probe.clear()
    before = session.exits
    received = await feed.trade(signal.symbol, desk.today(), _CRASH)
    await _until(lambda: session.exits > before)
    (sent,) = probe.order_sent
    reads = sum(ended - began for began, ended in probe.reads if received < ended < sent)
    await reconcile.fn(desk)
    return {"wire": sent - received, "reads": reads}


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - of the session's own making
            await asyncio.sleep(0.005)


@asynccontextmanager
async def a_session(desk: Desk) -> AsyncIterator[StreamSession]:
    """Run a session until the end of the block."""
    session = StreamSession(desk)
    running = asyncio.create_task(session.run(until=desk.now() + timedelta(hours=1)))
    await _until(lambda: bool(desk.stream.heard))
    try:
        yield session
    finally:
        session.end()
        await running


def _listening(place: Place, desk: Desk, feed: Feed, clock: FixedClock) -> KisStream:
    """Give a stream that hears the feed; all else is said to the simulator."""
    settings = place.broker.model_copy(update={"ws_url": f"ws://127.0.0.1:{feed.port}"})
    if not isinstance(desk.access, Auth):
        raise TypeError("not the desk of a KIS account")
    return KisStream(settings, auth=desk.access, clock=clock)


@asynccontextmanager
async def a_feed() -> AsyncIterator[Feed]:
    """Run the socket in a process of its own."""
    words = (sys.executable, "-m", "bench.feeds")
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    try:
        line = await process.stdout.readline() if process.stdout else b""
        yield Feed(process, int(line))
    finally:
        process.terminate()
        await process.wait()


def _section(times: dict[str, list[float]]) -> Section:
    wire, reads, trip, commit = (
        Samples(name, times[key])
        for name, key in (
            ("tick sent to bytes on the wire", "wire"),
            ("... of it waiting for the broker's answers before", "reads"),
            ("bare httpx round trip, fresh connection", "round trip"),
            ("bare PostgreSQL commit of one row", "commit"),
        )
    )
    bare = commit.percentile(99) + trip.percentile(99)
    aim = "p99 to the wire below commit + round trip (p99 each) + 20 ms"
    return Section(
        "A stop from its tick to the wire, at 500 ticks a second",
        [wire, reads, trip, commit],
        [Aim(aim, wire.percentile(99), bare + MARGIN)],
        NOTES,
    )
