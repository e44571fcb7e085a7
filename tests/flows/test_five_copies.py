"""This is place-orders started five times at once, as five processes: one order, whoever wins."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from tests.builders import a_signal
from tests.flow_worlds import World

RUN = """
import asyncio, os
from flows.place_orders import place_orders

pids = []
for _ in range(5):
    pids.append(os.fork())
    if not pids[-1]:
        state = asyncio.run(place_orders(return_state=True))
        print(f"{state.name}: {state.message}\\n", end="", flush=True)
        os._exit(0)
for pid in pids:
    os.waitpid(pid, 0)
"""

NO_ORDER = {
    "Skipped: Order placement is already running",
    "Completed: 1 signals: 0 orders placed, 0 denied, 0 rejected by the broker, 0 in doubt",
}
"""What the other copies say: they met the first one, or on a slow machine came when that was done."""


async def test_five_copies_at_once_place_one_order(world: World) -> None:
    with world.stores.begin() as work:
        work.signals.add(a_signal())
    await world.market.faults(reply_delayed={"seconds": 2})  # long enough for them to meet

    done = await asyncio.to_thread(
        subprocess.run, (sys.executable, "-c", RUN), capture_output=True, text=True, timeout=120
    )

    said = done.stdout.splitlines()
    (order,) = world.orders()
    (placed,) = await world.placed()
    assert placed["number"] == order.broker_order_id
    assert len(said) == 5, done
    assert sum(words.startswith("Completed: 1 signals: 1 orders placed") for words in said) == 1
    assert sum(words in NO_ORDER for words in said) == 4, said
