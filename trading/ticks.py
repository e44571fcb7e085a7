"""This is the market as it moves: trade prints, quotes and books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.instruments import Symbol


@dataclass(frozen=True, slots=True)
class TradePrint:
    """One trade on the exchange as the feed shows it; prices in won, `at` aware UTC."""

    symbol: Symbol
    price: int
    quantity: int
    at: datetime
    cumulative_volume: int
    is_auction: bool = False


@dataclass(frozen=True, slots=True)
class BookLevel:
    """One price level of the order book."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What the broker says a symbol costs now (현재가).

    `last` is the last traded price, 0 before any trade ever; `base_price` is the exchange's reference price,
    which differs from the previous close on ex-rights days. `trading_day` is the day the figures belong to.
    `at` is when the last price was read: KIS does not tell with it when it was made.
    """

    symbol: Symbol
    last: int
    open: int
    high: int
    low: int
    volume: int
    base_price: int
    upper_limit: int
    lower_limit: int
    at: datetime
    bid: BookLevel | None = None
    ask: BookLevel | None = None
    is_halted: bool = False
    is_administrative: bool = False
    is_liquidation: bool = False
    has_volatility_interruption: bool = False
