"""This is how a quote, a print, an auction or a bar fills an order: ONE copy for replay, paper and simulator.

Conventions, chosen so that a backtest is never luckier than the exchange's price-time priority:

- an order that ARRIVES and can trade takes the other side's price: the quote, the print, the auction price;
- a limit order that RESTS trades at its own limit, however far a later print goes through it;
- a touch of the limit fills; who stood before us in the queue is the caller's cap on the volume;
- a bar opens with an auction: what crosses the open fills at the open (gaps too), the rest at its limit when
  the bar reaches it; nothing fills on a bar that never left the limit against us (상한가 잠김);
- what a fill may take is capped by the traded volume, so large orders fill in parts;
- a market order takes the same prices without a limit of its own. Stops are `strategies.exits`' business.

Every fill price is the quote's, the print's, the auction's or the order's own limit between two prices that
really traded, so a fill never lies outside the day's limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.bars import Bar
from trading.errors import BadInput
from trading.krx import PriceLimits
from trading.orders import OrderType, Side
from trading.ticks import BookLevel


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """What matching needs to know of an order; `limit_price` in won for LIMIT orders, None for MARKET."""

    side: Side
    order_type: OrderType
    limit_price: int | None
    open_quantity: int

    def __post_init__(self) -> None:
        """Refuse what could only be matched by a guess."""
        if self.open_quantity < 1:
            raise BadInput("open_quantity", self.open_quantity, "at least one share")
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise BadInput("limit_price", self.limit_price, "a price for LIMIT, None for MARKET")

    def accepts(self, price: int) -> bool:
        """Tell whether the order would trade at `price`: any for MARKET, its limit or better for LIMIT."""
        if self.limit_price is None:
            return True
        return price <= self.limit_price if self.side is Side.BUY else price >= self.limit_price


@dataclass(frozen=True, slots=True)
class Fill:
    """What matching gave: whole shares at one price in won."""

    price: int
    quantity: int


def participation(volume: int, rate: Decimal) -> int:
    """Return how many of `volume` shares an order may take at most; `rate` is a fraction, e.g. a tenth."""
    return int(volume * rate)


def match_quote(order: RestingOrder, levels: Iterable[BookLevel]) -> tuple[Fill, ...]:
    """Fill an arriving order from the other side's `levels`, best price first, one fill per level."""
    fills = []
    open_quantity = order.open_quantity
    for level in levels:
        quantity = min(open_quantity, level.quantity)
        if quantity < 1 or not order.accepts(level.price):
            break
        fills.append(Fill(level.price, quantity))
        open_quantity -= quantity
    return tuple(fills)


def match_print(
    order: RestingOrder, *, price: int, volume: int, is_arriving: bool = False
) -> Fill | None:
    """Fill from one trade in continuous trading of `volume` shares at `price`.

    `is_arriving` says that this is the first print since the order came in, and no quote was there to match.
    """
    if not order.accepts(price):
        return None
    own = None if is_arriving else order.limit_price
    return _fill(order, price if own is None else own, volume)


def match_auction(order: RestingOrder, *, price: int, volume: int) -> Fill | None:
    """Fill at the single price of a call auction (opening, closing, VI) in which the order took part."""
    return _fill(order, price, volume) if order.accepts(price) else None


def match_bar(
    order: RestingOrder, bar: Bar, *, rate: Decimal = Decimal(1), limits: PriceLimits | None = None
) -> Fill | None:
    """Fill an order that was in before `bar` began (never one that the bar itself caused).

    `rate` is the largest part of the bar's volume that the order may be. `limits` are the day's, if known.
    """
    if bar.volume < 1 or bar.open < 1 or (limits and is_locked(order.side, bar, limits)):
        return None
    volume = participation(bar.volume, rate)
    if order.accepts(bar.open):
        return _fill(order, bar.open, volume)
    best = bar.low if order.side is Side.BUY else bar.high
    if order.limit_price is not None and order.accepts(best):
        return _fill(order, order.limit_price, volume)
    return None


def is_locked(side: Side, bar: Bar, limits: PriceLimits) -> bool:
    """Tell whether the whole bar stood at the limit where nobody takes the other side."""
    if side is Side.BUY:
        return bar.low >= limits.upper
    return bar.high <= limits.lower


def _fill(order: RestingOrder, price: int, volume: int) -> Fill | None:
    quantity = min(order.open_quantity, volume)
    return Fill(price, quantity) if quantity > 0 else None
