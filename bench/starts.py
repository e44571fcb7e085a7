"""This is how long it takes from a SIGKILL in mid-order to a new process that may order again."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any, Final

from adapters.clock import FixedClock
from bench.figures import Aim, Samples, Section
from bench.placement import next_signal
from bench.places import ACCOUNT, Place, a_desk
from tasks.orders import trade
from tasks.reconciliation import reconcile

AIM: Final = 10.0
ORDERS_BEFORE: Final = 60
"""A normal day's data: so many orders and their fills are in the books when the process dies."""
NOTES: Final = (
    "From the kill to a new process, started cold, that holds the lease and has settled doubt, orders, positions, cash.",
    "Killed while the broker has the order and the reply is on its way; the order is found and bound by the new one.",
)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the kill until the next process ran, and until it was ready to order."""

    up: float
    ready: float


async def measure_starts(place: Place, kills: int) -> Section:
    """Kill a process in mid-order `kills` times."""
    at = await place.to("10:00")
    await _trade_before(place, at)
    await place.ask("PUT", "/sim/faults", {"reply_delayed": {"seconds": 30}})
    starts = [await _kill_and_start(place, at, ORDERS_BEFORE + n) for n in range(kills)]
    ready = [each.ready for each in starts]
    return Section(
        "Ready after a SIGKILL in mid-order",
        [
            Samples(f"from the kill to ready, {ORDERS_BEFORE} orders in the day", ready),
            Samples("... of it until Python has imported everything", [s.up for s in starts]),
        ],
        [Aim("worst below 10 s", max(ready), AIM)],
        NOTES,
    )


async def _trade_before(place: Place, at: datetime) -> None:
    async with a_desk(place, FixedClock(at)) as desk:
        await reconcile.fn(desk)
        for number in range(ORDERS_BEFORE):
            await trade.fn(desk, [await next_signal(desk, number)])
            await reconcile.fn(desk)


async def _kill_and_start(place: Place, at: datetime, number: int) -> Start:
    """Kill a process whose order the broker has just taken, and start the next one."""
    known = await _taken(place)
    victim = await _start(place, at, number)
    await _hear(victim, "ready")
    while await _taken(place) == known:  # noqa: ASYNC110 - in another process
        await asyncio.sleep(0.02)
    victim.kill()
    began = perf_counter()
    await victim.wait()
    heir = await _start(place, at, None)
    up = perf_counter() - began
    await _hear(heir, "ready")
    ready = perf_counter() - began
    await heir.wait()
    await _require_settled(place, at)
    return Start(up, ready)


async def _start(place: Place, at: datetime, number: int | None) -> Process:
    """Start a process and wait until it is up."""
    words = (sys.executable, "-m", "bench.starter")
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    task: dict[str, Any] = {
        "home": str(place.home),
        "database_url": place.database_url,
        "market": dict(place.market),
        "at": at.isoformat(),
        "number": number,
    }
    if process.stdin is not None:
        process.stdin.write(json.dumps(task).encode() + b"\n")
    await _hear(process, "up")
    return process


async def _hear(process: Process, word: str) -> None:
    """Wait for a word of a process.

    Raises:
        RuntimeError: when it says something else, or ends.
    """
    said = await process.stdout.readline() if process.stdout else b""
    if said.decode().strip() != word:
        raise RuntimeError(f"instead of {word}: {said!r}")


async def _taken(place: Place) -> int:
    """Count the orders that the broker has."""
    book = await place.ask("GET", "/sim/book")
    (account,) = (each for each in book["accounts"] if each["account"] == ACCOUNT)
    return len(account["orders"])


async def _require_settled(place: Place, at: datetime) -> None:
    async with a_desk(place, FixedClock(at)) as desk:
        with desk.stores.begin() as work:
            if any(order.is_in_doubt for order in work.orders.open()):
                raise RuntimeError("ready, and an order is in doubt")
