"""This is how long an order is in doubt whose reply was lost while the broker's rows show it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from typing import Final

from adapters.clock import SimulatorClock
from bench.figures import Aim, Samples, Section
from bench.placement import next_signal
from bench.places import Place, a_desk
from tasks.desk import Desk
from tasks.orders import trade
from tasks.readiness import settle_doubts
from tasks.reconciliation import reconcile
from tasks.streaming import StreamSession

AIM: Final = 5.0
"""Seconds of broker time."""
PATIENCE: Final = 30.0
NOTES: Final = (
    "From the lost reply to the order being bound to its row, in the broker's time, which runs as real time does.",
    "By place-orders: the run that sent it looks itself. By the stream: only stream-fills is there, as after a death.",
)


async def measure_doubts(place: Place, doubts: int) -> Section:
    """Lose the reply of `doubts` orders for each way of settling them."""
    await place.to("10:00")
    await place.ask("POST", "/sim/clock", {"factor": 1})
    with closing(SimulatorClock(place.market_url)) as clock:
        async with a_desk(place, clock) as desk:
            await reconcile.fn(desk)
            by_run = [await _settle(place, desk, n, _look) for n in range(doubts)]
            async with _streaming(desk):
                numbers = range(doubts, 2 * doubts)
                by_stream = [await _settle(place, desk, n, _wait) for n in numbers]
    return Section(
        "Settling a doubt with visible rows",
        [Samples("by place-orders", by_run), Samples("by the stream", by_stream)],
        [Aim("worst below 5 s of broker time", max(*by_run, *by_stream), AIM)],
        NOTES,
    )


async def _settle(
    place: Place, desk: Desk, number: int, settle: Callable[[Desk], Awaitable[None]]
) -> float:
    """Lose one reply; give the seconds until the order has its number."""
    signal = await next_signal(desk, number)
    await place.ask("PUT", "/sim/faults", {"reply_lost": True})
    orders = await trade.fn(desk, [signal])
    lost_at = desk.now()
    await place.ask("PUT", "/sim/faults", {})
    if not orders or not orders[0].is_in_doubt:
        raise RuntimeError(f"the order is not in doubt: {orders}")
    await asyncio.wait_for(settle(desk), PATIENCE)
    took = (desk.now() - lost_at).total_seconds()
    await reconcile.fn(desk)
    return took


async def _look(desk: Desk) -> None:
    await settle_doubts(desk, within=PATIENCE)


async def _wait(desk: Desk) -> None:
    """Wait until the stream has settled it."""
    while _is_in_doubt(desk):  # noqa: ASYNC110 - what another task writes into the database
        await asyncio.sleep(0.02)


def _is_in_doubt(desk: Desk) -> bool:
    with desk.stores.begin() as work:
        return any(order.is_in_doubt for order in work.orders.open())


@asynccontextmanager
async def _streaming(desk: Desk) -> AsyncIterator[None]:
    """Let the stream run beside."""
    session = StreamSession(desk)
    running = asyncio.create_task(session.run(until=desk.now() + timedelta(hours=5)))
    await asyncio.sleep(2)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
