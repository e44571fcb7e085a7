"""This is what maemae asks of a price source, by request and by stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from trading.bars import Bar
from trading.instruments import Instrument, Symbol
from trading.orders import OrderType, Side
from trading.ticks import Quote, TradePrint


class MarketData(Protocol):
    """History, quotes and instruments; reads may be repeated, raises the `BrokerError`s."""

    async def daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read adjusted daily bars from `first` to `last`, oldest first, every page."""
        ...

    async def minute_bars(self, symbol: Symbol, *, trading_day: date) -> tuple[Bar, ...]:
        """Read the closed minute bars of a day, oldest first."""
        ...

    async def quote(self, symbol: Symbol) -> Quote:
        """Read the current price."""
        ...

    async def instruments(self, symbols: Sequence[Symbol]) -> tuple[Instrument, ...]:
        """Read name, market and standing of each symbol."""
        ...

    async def open_days(self, *, first: date) -> dict[date, bool]:
        """Read the broker's calendar from `first` on (chk-holiday); empty where it is not offered (paper)."""
        ...


class NoticeKind(StrEnum):
    """What a notice of the broker says about an order."""

    ACCEPTED = "ACCEPTED"
    MODIFIED = "MODIFIED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    FILLED = "FILLED"


@dataclass(frozen=True, slots=True)
class Notice:
    """One order or fill notice (체결통보). At least once, any order, possibly before the reply to the order.

    `quantity` and `price` are the fill's for FILLED, the order's otherwise. `time_text` is HHMMSS KST as sent:
    with number, quantity and price it is all there is to tell two fills apart.
    """

    kind: NoticeKind
    broker_order_id: str
    original_id: str
    symbol: Symbol
    side: Side
    order_type: OrderType
    quantity: int
    price: int
    order_quantity: int
    time_text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is (again) up and subscribed: nothing was replayed, so reconcile now."""

    at: datetime


type StreamEvent = TradePrint | Notice | Connected


class MarketStream(Protocol):
    """The one live connection: prints of the subscribed symbols and the account's notices."""

    def events(self, symbols: Sequence[Symbol]) -> AsyncIterator[StreamEvent]:
        """Yield events for ever, reconnecting with backoff; each (re)connect yields `Connected`."""
        ...
