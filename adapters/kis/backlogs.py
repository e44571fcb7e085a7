"""This is what the socket has said and nobody has taken yet: notices without limit, prices up to a bound."""

from __future__ import annotations

import asyncio
from collections import deque


class Backlog[Urgent, Price]:
    """A queue with two lanes. What is urgent goes first and is never lost; of prices the oldest make room.

    A price that is lost shows in the day's volume of the next one, so that its minute is read from the history.
    """

    def __init__(self, longest: int) -> None:
        self._urgent: deque[Urgent] = deque()
        self._prices: deque[Price] = deque()
        self._longest = longest
        self._news = asyncio.Event()
        self.lost = 0
        """Prices that had to make room."""

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._urgent) + len(self._prices)

    def put(self, item: Urgent) -> None:
        """Add something that must not be lost."""
        self._urgent.append(item)
        self._news.set()

    def put_price(self, item: Price) -> None:
        """Add a price."""
        if len(self._prices) >= self._longest:
            self._prices.popleft()
            self.lost += 1
        self._prices.append(item)
        self._news.set()

    async def take(self) -> Urgent | Price:
        """Take the next one, waiting for it if need be."""
        while not len(self):
            self._news.clear()
            await self._news.wait()
        return self._urgent.popleft() if self._urgent else self._prices.popleft()
