"""This is place-orders started twice at once, as two processes: one order, whoever wins."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from tests.builders import a_signal
from tests.flow_worlds import World

RUN = """
import asyncio, sys
from flows.place_orders import place_orders
print("ready", flush=True)
sys.stdin.readline()
state = asyncio.run(place_orders(return_state=True))
print(state.name, state.message, sep=": ", flush=True)
"""

NO_ORDER = {
    "Skipped: Order placement is already running",
    "Completed: 1 signals: 0 orders placed, 0 denied, 0 rejected by the broker, 0 in doubt",
}
"""What the other copy says: it met the first one, or on a slow machine came when that was done."""


async def a_process() -> Process:
    """Start a process that has imported everything and waits for a line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def last_words(process: Process) -> str:
    """Let the process run and give what it says at its end."""
    said, _ = await asyncio.wait_for(process.communicate(b"go\n"), 60)
    return said.decode().strip()


async def test_two_copies_at_once_place_one_order(world: World) -> None:
    with world.stores.begin() as work:
        work.signals.add(a_signal())
    await world.market.faults(reply_delayed={"seconds": 2})  # long enough for the two to meet
    both = await asyncio.gather(a_process(), a_process())

    said = await asyncio.gather(*map(last_words, both))

    (order,) = world.orders()
    (placed,) = await world.placed()
    assert placed["number"] == order.broker_order_id
    assert sum(words.startswith("Completed: 1 signals: 1 orders placed") for words in said) == 1
    assert sum(words in NO_ORDER for words in said) == 1
