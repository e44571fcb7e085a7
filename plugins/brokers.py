"""This is opening a broker that is not ours: in this process, since it must reach its own network, and checked at every answer.

An order call that ends in anything unexpected is in doubt: never repeated, settled by inquiry like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from adapters.broker import (
    Acceptance,
    Access,
    Balance,
    BrokerAdapter,
    BrokerOrder,
    BrokerPosition,
    Buyable,
    LastLook,
    looks_on,
)
from adapters.clock import BrokerClock, Clock
from adapters.market_data import MarketData, MarketStream
from plugins.loading import load
from plugins.settings import PluginSettings
from plugins.sources import approved_sources
from trading.errors import MaemaeError, OutcomeUnknown, PluginFault, Unavailable
from trading.instruments import Symbol
from trading.orders import OrderIntent, OrderType
from trading.ticks import Quote


@dataclass(frozen=True, slots=True)
class House:
    """All that a desk needs of a broker; `clock` is None where it tells no time of its own."""

    broker: BrokerAdapter
    market_data: MarketData
    stream: MarketStream
    access: Access
    clock: BrokerClock | None = None


@dataclass(frozen=True, slots=True)
class CheckedBroker:
    """A foreign broker whose answers are values of ours or errors of ours, nothing else.

    One that is opened to look on is never asked to place or to cancel, whatever its own keys may.
    """

    plugin: str
    theirs: BrokerAdapter
    is_read_only: bool = False

    async def get_price(self, symbol: Symbol) -> Quote:
        """Read the current price."""
        return await self._read(self.theirs.get_price(symbol), Quote)

    def wire_fields(self, intent: OrderIntent) -> Mapping[str, str]:
        """Give what `place` would send."""
        fields = self.theirs.wire_fields(intent)
        if not all(isinstance(part, str) for pair in fields.items() for part in pair):
            raise PluginFault(self.plugin, "wire_fields: texts by name expected")
        return dict(fields)

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Send the order, once."""
        self._require_hands()
        return await self._send(self.theirs.place(intent, last_look=last_look))

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel all that is left of an order."""
        self._require_hands()
        asked = self.theirs.cancel(
            broker_order_id=broker_order_id, branch=branch, order_type=order_type
        )
        return await self._send(asked)

    async def get_balance(self) -> Balance:
        """Read the cash figures."""
        return await self._read(self.theirs.get_balance(), Balance)

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read every holding above zero."""
        return await self._rows(self.theirs.get_positions(), BrokerPosition)

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read the day's orders."""
        return await self._rows(self.theirs.orders_of_day(trading_day), BrokerOrder)

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought."""
        asked = self.theirs.buyable(symbol, order_type=order_type, price=price)
        return await self._read(asked, Buyable)

    def _require_hands(self) -> None:
        if self.is_read_only:
            raise looks_on()

    async def _send(self, asked: Awaitable[Acceptance]) -> Acceptance:
        try:
            answer = await asked
        except MaemaeError:
            raise
        except Exception as error:
            raise OutcomeUnknown(self._told(error)) from error
        if type(answer) is not Acceptance:
            raise OutcomeUnknown(f"{self.plugin}: {type(answer).__name__} is no Acceptance")
        return answer

    async def _read[T](self, asked: Awaitable[T], kind: type[T]) -> T:
        try:
            answer = await asked
        except MaemaeError:
            raise
        except Exception as error:
            raise Unavailable(self._told(error)) from error
        if type(answer) is not kind:
            raise Unavailable(f"{self.plugin}: {type(answer).__name__} is no {kind.__name__}")
        return answer

    async def _rows[T](self, asked: Awaitable[tuple[T, ...]], kind: type[T]) -> tuple[T, ...]:
        rows = await self._read(asked, tuple)
        if not all(type(row) is kind for row in rows):
            raise Unavailable(f"{self.plugin}: a row is no {kind.__name__}")
        return rows

    def _told(self, error: Exception) -> str:
        return f"{self.plugin}: {type(error).__name__}: {error}"


@asynccontextmanager
async def open_foreign_broker(
    plugin: PluginSettings, *, home: Path, clock: Clock, is_read_only: bool = False
) -> AsyncIterator[House]:
    """Open a broker of the whitelist.

    Raises:
        InvalidSetting: when its files are not the approved ones, or are written for another interface.
        PluginFault: when it does not open, or gives no `House`.
    """
    make: Any = load(plugin.id, approved_sources(plugin))
    opened = make(home=home, clock=clock, **plugin.parameters)
    if not isinstance(opened, AbstractAsyncContextManager):
        raise PluginFault(plugin.id, "an async context manager expected")
    async with opened as house:
        if not isinstance(house, House):
            raise PluginFault(plugin.id, f"a House expected, not {type(house).__name__}")
        broker = CheckedBroker(plugin.id, house.broker, is_read_only)
        yield House(broker, house.market_data, house.stream, house.access, house.clock)
