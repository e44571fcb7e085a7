"""This is a process of its own that trades the day's signals, or is told to become ready, for tests that kill it."""

from __future__ import annotations

import asyncio
import sys

from flows.desk import open_desk
from tasks.orders import trade
from tasks.writers import only_writer


async def _trade() -> None:
    async with open_desk() as desk:
        with desk.stores.begin() as work:
            signals = work.signals.of_day(desk.today())
        _say("trading")
        await trade.fn(desk, signals)


async def _become_ready() -> None:
    _say("standing by")
    sys.stdin.readline()
    async with open_desk() as desk, only_writer(desk):
        _say("ready")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_trade() if sys.argv[1] == "trade" else _become_ready())
