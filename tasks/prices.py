"""This is a price that is asked for before the order that needs it is known: a stop waits for nothing else so long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tasks.desk import Desk
from trading.instruments import Symbol
from trading.ticks import Quote

FRESH: Final = timedelta(seconds=1)
"""An order that had to wait for longer than this asks again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the broker that is under way or answered."""

    symbol: Symbol
    answer: asyncio.Task[Quote]


@asynccontextmanager
async def asked_ahead(desk: Desk, symbol: Symbol) -> AsyncIterator[Asked]:
    """Ask for the price of `symbol` while the block works; what it did not wait for is given up at its end."""
    answer = asyncio.create_task(desk.market_data.quote(symbol))
    try:
        yield Asked(symbol, answer)
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)


async def price_of(desk: Desk, symbol: Symbol, asked: Asked | None) -> Quote:
    """Give what `symbol` costs now: what was asked ahead if that is of this moment, else asked for here.

    Raises:
        BrokerError: when it cannot be read.
    """
    if asked and asked.symbol == symbol:
        quote = await asked.answer
        if desk.now() - quote.at <= FRESH:
            return quote
    return await desk.market_data.quote(symbol)
