"""This is what maemae asks of a price source, by request and by stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from trading.bars import Bar
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, Symbol
from trading.notices import Notice, NoticeKind
from trading.ticks import Quote, TradePrint

__all__ = [
    "Connected",
    "MarketData",
    "MarketStream",
    "Notice",
    "NoticeKind",
    "StreamEvent",
    "Unreadable",
]


class MarketData(Protocol):
    """History, quotes and instruments; reads may be repeated, raises the `BrokerError`s."""

    async def daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read adjusted daily bars from `first` to `last`, oldest first, every page."""
        ...

    async def raw_daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read daily bars as they were traded, without any adjustment, from `first` to `last`, oldest first."""
        ...

    async def index_bars(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Read the days of an index from `first` to `last`, oldest first; none where it is not offered."""
        ...

    async def minute_bars(
        self, symbol: Symbol, *, trading_day: date, since: datetime | None = None
    ) -> tuple[Bar, ...]:
        """Read the closed minute bars of a day, oldest first; at least those that end after `since`."""
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


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is (again) up and subscribed: nothing was replayed, so reconcile now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something came that nobody can read; the connection goes on. It is kept where dead letters are."""

    text: str = field(repr=False)
    reason: str


type StreamEvent = TradePrint | Notice | Connected | Unreadable


class MarketStream(Protocol):
    """The one live connection: prints of the subscribed symbols and the account's notices."""

    @property
    def heard(self) -> frozenset[Symbol]:
        """The symbols whose prints come now; the broker takes only so many."""
        ...

    def watch(self, symbols: Sequence[Symbol]) -> None:
        """Change which prints are wanted, the most important first, without a new connection."""
        ...

    def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Yield events for ever, reconnecting with backoff; each (re)connect yields `Connected`.

        `symbols` are wanted in this order until `watch` says otherwise. Of prints that nobody takes in time the
        oldest are lost, notices never.
        """
        ...
