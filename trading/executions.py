"""This is a fill as we book it, and what makes two reports the same fill."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from trading.errors import BadInput
from trading.instruments import Symbol
from trading.orders import Side, digits_of


class ExecutionSource(StrEnum):
    """Who told us: a notice (one per fill) or an inquiry (cumulative, the missing rest in one piece)."""

    NOTICE = "NOTICE"
    INQUIRY = "INQUIRY"


@dataclass(frozen=True, slots=True)
class Execution:
    """One booked fill; `value` is exact won, the price is derived because an inquiry knows only sums.

    `execution_id` is derived by `notice_id` or `inquiry_id` because KIS gives no execution number.
    `cumulative_quantity` is the order's filled quantity after this fill.
    """

    execution_id: str
    client_order_id: str
    broker_order_id: str
    account: str
    strategy_id: str
    symbol: Symbol
    side: Side
    quantity: int
    value: int
    commission: int
    tax: int
    cumulative_quantity: int
    trading_day: date
    settles_on: date
    executed_at: datetime
    source: ExecutionSource

    def __post_init__(self) -> None:
        """Refuse a fill of nothing or for nothing (a sell row at 0 won is a bug, not a sale)."""
        if self.quantity <= 0:
            raise BadInput("quantity", self.quantity, "at least one share")
        if self.value <= 0:
            raise BadInput("value", self.value, "whole won above 0")

    @property
    def price(self) -> Decimal:
        """Average won per share of this fill."""
        return Decimal(self.value) / self.quantity

    @property
    def share_change(self) -> int:
        """Shares that came in, negative where they went out."""
        return self.quantity if self.side is Side.BUY else -self.quantity

    @property
    def cash_change(self) -> int:
        """Won that this fill adds to cash (negative for buys), charges included."""
        sign = 1 if self.side is Side.SELL else -1
        return sign * self.value - self.commission - self.tax


def notice_id(
    *,
    trading_day: date,
    broker_order_id: str,
    time_text: str,
    quantity: int,
    price: int,
    ordinal: int,
) -> str:
    """Derive the id of a fill notice; `ordinal` tells equal fills within one second apart."""
    return f"{digits_of(trading_day)}-{broker_order_id}-N-{time_text}-{quantity}x{price}-{ordinal}"


def inquiry_id(*, trading_day: date, broker_order_id: str, cumulative_quantity: int) -> str:
    """Derive the id of the piece that an inquiry proved up to `cumulative_quantity` shares."""
    return f"{digits_of(trading_day)}-{broker_order_id}-I-{cumulative_quantity}"


def standing(fills: Iterable[Execution]) -> tuple[Execution, ...]:
    """Give the fills since each strategy's holding of each symbol was last flat, in their order."""
    fills = tuple(fills)
    held: Counter[tuple[str, Symbol]] = Counter()
    since: defaultdict[tuple[str, Symbol], int] = defaultdict(int)
    for place, fill in enumerate(fills):
        holding = (fill.strategy_id, fill.symbol)
        held[holding] += fill.share_change
        if not held[holding]:
            since[holding] = place + 1
    return tuple(
        fill for place, fill in enumerate(fills) if place >= since[fill.strategy_id, fill.symbol]
    )
