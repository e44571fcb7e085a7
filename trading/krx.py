"""This is the exchange's price grid: tick sizes and daily price limits, each with its date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from trading.errors import BadInput
from trading.instruments import InstrumentKind, Market
from trading.orders import Side

type TickTable = tuple[tuple[int, int], ...]
"""Pairs (from this price in won, tick in won), cheapest band first."""

_TICKS_BELOW_50K: Final[TickTable] = ((0, 1), (1_000, 5), (5_000, 10), (10_000, 50))
_KOSPI_TICKS_2010: Final[TickTable] = (
    *_TICKS_BELOW_50K,
    (50_000, 100),
    (100_000, 500),
    (500_000, 1_000),
)
_KOSDAQ_TICKS_2010: Final[TickTable] = (*_TICKS_BELOW_50K, (50_000, 100))
_TICKS_2023: Final[TickTable] = (
    (0, 1),
    (2_000, 5),
    (5_000, 10),
    (20_000, 50),
    (50_000, 100),
    (200_000, 500),
    (500_000, 1_000),
)
_FUND_TICKS_BEFORE: Final[TickTable] = ((0, 5),)
_FUND_TICKS_2023: Final[TickTable] = ((0, 1), (2_000, 5))

_ONE_GRID_FROM: Final = date(2023, 1, 25)
"""KRX gave KOSPI, KOSDAQ and KONEX one finer table; the tables before it stood since 2010."""
_FINE_FUND_TICKS_FROM: Final = date(2023, 12, 11)
"""Announced for ETF and ETN; ELW share the row in the broker's table, their own date is not confirmed."""

_WIDE_LIMITS_FROM: Final = date(2015, 6, 15)
_WIDE_PERCENT: Final = 30
_NARROW_PERCENT: Final = 15


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """The lowest and the highest price of the day in won, both allowed (하한가, 상한가)."""

    lower: int
    upper: int

    def contains(self, price: int) -> bool:
        """Tell whether an order or a trade at `price` is allowed today."""
        return self.lower <= price <= self.upper


NO_LIMITS: Final = PriceLimits(lower=1, upper=2**31 - 1)
"""For what has none: ELW, liquidation trading, and (nearly, 60 to 400 % of the offer) the listing day."""


def tick_size(
    price: int,
    *,
    on: date,
    market: Market = Market.KOSPI,
    kind: InstrumentKind = InstrumentKind.STOCK,
) -> int:
    """Return the price step in won for an ORDER at `price`; the order's own price chooses the band.

    Raises:
        BadInput: for a price below 1 won.
    """
    if price < 1:
        raise BadInput("price", price, "at least 1 won")
    return next(tick for start, tick in reversed(_tick_table(on, market, kind)) if price >= start)


def _tick_table(on: date, market: Market, kind: InstrumentKind) -> TickTable:
    if kind is not InstrumentKind.STOCK:
        return _FUND_TICKS_2023 if on >= _FINE_FUND_TICKS_FROM else _FUND_TICKS_BEFORE
    if on >= _ONE_GRID_FROM:
        return _TICKS_2023
    return _KOSPI_TICKS_2010 if market is Market.KOSPI else _KOSDAQ_TICKS_2010


def is_on_tick(
    price: int,
    *,
    on: date,
    market: Market = Market.KOSPI,
    kind: InstrumentKind = InstrumentKind.STOCK,
) -> bool:
    """Tell whether an order may name `price`.

    Trades may lie half a tick off since March 2025 (mid-point orders): check orders, never market data.
    """
    return price >= 1 and price % tick_size(price, on=on, market=market, kind=kind) == 0


def round_price(
    price: int | Decimal,
    side: Side,
    *,
    on: date,
    market: Market = Market.KOSPI,
    kind: InstrumentKind = InstrumentKind.STOCK,
) -> int:
    """Put `price` on the grid without ever paying more or taking less: a buy goes down, a sell goes up.

    Raises:
        BadInput: when nothing is left, because an order at 0 won would be read as a market order.
    """
    towards = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    won = int(Decimal(price).to_integral_value(rounding=towards))
    tick = tick_size(won, on=on, market=market, kind=kind)
    # Every band starts at a multiple of both its own tick and the one below, so neither way leaves the grid.
    rounded = won // tick * tick if side is Side.BUY else -(-won // tick) * tick
    if rounded < 1:
        raise BadInput("price", price, f"at least one tick ({tick} won)")
    return rounded


def price_limits(
    base: int,
    *,
    on: date,
    market: Market = Market.KOSPI,
    kind: InstrumentKind = InstrumentKind.STOCK,
) -> PriceLimits:
    """Return the limits around `base`, the day's reference price (기준가), not always the last close.

    The width is 30 % of the base (15 % before 2015-06-15 and always on KONEX) floored to the base's tick, at
    least one tick; the upper limit is then floored to the tick of its own band. 24,250 gives 17,000 to
    31,500; 239,000 gives 167,500 to 310,500. A base off the grid (adjusted data) gives limits on it, inside.
    Leveraged funds have a multiple of this width: theirs come from the broker.

    Raises:
        BadInput: for a base below 1 won.
    """
    if kind is InstrumentKind.ELW:
        return NO_LIMITS
    is_wide = on >= _WIDE_LIMITS_FROM and market is not Market.KONEX
    tick = tick_size(base, on=on, market=market, kind=kind)
    percent = _WIDE_PERCENT if is_wide else _NARROW_PERCENT
    width = max(tick, base * percent // 100 // tick * tick)
    lower = max(tick, base - width)
    return PriceLimits(
        lower=round_price(lower, Side.SELL, on=on, market=market, kind=kind),
        upper=round_price(base + width, Side.BUY, on=on, market=market, kind=kind),
    )
