"""This is the broker of docs/plugins.md: a paper account in memory, with made-up prices that stand still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from adapters.calendars import XkrxCalendar
from adapters.clock import Clock
from adapters.market_data import Connected, StreamEvent
from adapters.memory.broker import MemoryBroker
from adapters.memory.market_data import MemoryMarketData
from plugins.brokers import House
from trading.instruments import Instrument, Symbol

INTERFACE = 1


class Silence:
    """A stream that is there and says nothing, and a key that lasts a day."""

    def __init__(self, clock: Clock) -> None:
        """Take the desk's clock."""
        self._clock = clock

    @property
    def heard(self) -> frozenset[Symbol]:
        """Hear nothing."""
        return frozenset()

    def watch(self, symbols: Sequence[Symbol]) -> None:
        """Want nothing else."""

    async def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Be connected."""
        del symbols
        yield Connected(self._clock.now())
        await asyncio.Event().wait()

    async def ensure(self) -> datetime:
        """Give when the key ends."""
        return self._clock.now() + timedelta(days=1)


@asynccontextmanager
async def open_house(
    *, home: Path, clock: Clock, account: str, cash: int, stocks: dict[str, tuple[str, int]]
) -> AsyncIterator[House]:
    """Open the account; what has to be closed is closed after the `yield`."""
    del home  # a real broker keeps its token here
    instruments = [Instrument(Symbol(symbol), name) for symbol, (name, _) in stocks.items()]
    market_data = MemoryMarketData(instruments, clock=clock)
    for symbol, (_, price) in stocks.items():
        market_data.set_base(Symbol(symbol), price)
    broker = MemoryBroker(
        market_data, account=account, cash=cash, clock=clock, calendar=XkrxCalendar()
    )
    silence = Silence(clock)
    yield House(broker, market_data, silence, silence)
