"""This is a KIS socket of its own process that sends 500 ticks a second, and one price at a word.

It prints its port; for each line `SYMBOL DAY PRICE` that it reads it sends that tick next and prints when, on the
clock that all processes of the machine share. The other ticks are of that day too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date
from itertools import count
from time import perf_counter
from typing import Final

from websockets.asyncio.server import ServerConnection, serve

from bench.places import DAY
from bench.ticks import record

RATE: Final = 500
NOTHING: Final = "-"
"""The symbol of a line that only turns the day."""
QUIET: Final = tuple(f"{number:06d}" for number in range(900_000, 900_030))
"""Symbols that nobody holds, so that their prices mean nothing."""


class Feed:
    """One market that everybody who connects hears."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self.day = DAY
        self._volumes = count(10, 10)

    async def handle(self, socket: ServerConnection) -> None:
        """Acknowledge registrations, and send ticks meanwhile."""
        sending = asyncio.create_task(self._send(socket))
        try:
            async for message in socket:
                wanted = json.loads(message)["body"]["input"]
                await socket.send(_yes(wanted))
        finally:
            sending.cancel()

    async def _send(self, socket: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in count():
            if self.asked.empty():
                await socket.send(self._tick(QUIET[number % len(QUIET)], 100_000))
            else:
                symbol, price = self.asked.get_nowait()
                at = perf_counter()
                await socket.send(self._tick(symbol, price))
                _say(f"{at}")
            await asyncio.sleep(max(0.0, began + number / RATE - loop.time()))

    def _tick(self, symbol: str, price: int) -> str:
        return f"0|H0STCNT0|001|{record(symbol, self.day, '100000', price, next(self._volumes))}"


def _yes(wanted: dict[str, str]) -> str:
    output = {"iv": "i" * 16, "key": "k" * 32}
    body = {"rt_cd": "0", "msg_cd": "OPSP0000", "msg1": "SUBSCRIBE SUCCESS", "output": output}
    return json.dumps({"header": {**wanted, "encrypt": "N"}, "body": body})


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


async def main() -> None:
    """Serve until nobody speaks to us any more."""
    feed, loop = Feed(), asyncio.get_running_loop()
    async with serve(feed.handle, "127.0.0.1", 0) as server:
        _say(str(next(iter(server.sockets)).getsockname()[1]))
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            symbol, day, price = line.split()
            feed.day = date.fromisoformat(day)
            if symbol == NOTHING:
                _say("0")
            else:
                feed.asked.put_nowait((symbol, int(price)))


if __name__ == "__main__":
    asyncio.run(main())
