"""This is a process that takes the account's lease and says so: what `bench.starts` starts, kills and starts again.

It reads one line of JSON: where, when, and whether to send an order once it is ready.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.clock import FixedClock
from bench.placement import next_signal
from bench.places import Place, a_desk
from tasks.orders import trade
from tasks.writers import only_writer


async def start(task: dict[str, Any]) -> None:
    """Say "up", become ready, say "ready", then order or end."""
    print("up", flush=True)  # noqa: T201 - this is what the parent waits for
    place = Place(Path(task["home"]), task["database_url"], task["market"])
    async with a_desk(place, FixedClock(datetime.fromisoformat(task["at"]))) as desk:
        async with only_writer(desk):
            print("ready", flush=True)  # noqa: T201 - and for this
        if task["number"] is not None:
            await trade.fn(desk, [await next_signal(desk, task["number"])])


if __name__ == "__main__":
    asyncio.run(start(json.loads(sys.stdin.readline())))
