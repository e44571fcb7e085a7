"""This is the broker's side of the book as it tells it: receipts, order rows, holdings, cash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.instruments import Symbol
from trading.orders import OrderStatus, OrderType, Side


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The broker's receipt of an order or of a cancel; the exchange may still refuse later."""

    broker_order_id: str
    branch: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One row of the broker's book of a day: cumulative, one row per order number.

    `limit_price` is None for market orders. `original_id` is the number that a modify or cancel row refers to,
    "" for an order of its own. `is_ours` tells whether the order came in through this API (채널 OpnAPI), `address`
    from which internet address, "" where the broker does not say.
    """

    broker_order_id: str
    original_id: str
    branch: str
    symbol: Symbol
    side: Side
    order_type: OrderType
    limit_price: int | None
    quantity: int
    filled_quantity: int
    filled_value: int
    open_quantity: int
    canceled_quantity: int
    rejected_quantity: int
    ordered_at: datetime
    is_ours: bool = True
    address: str = ""

    @property
    def status(self) -> OrderStatus:
        """Read the state from the quantities (KIS gives no status field)."""
        if self.rejected_quantity and not self.filled_quantity:
            return OrderStatus.REJECTED
        if self.filled_quantity == self.quantity:
            return OrderStatus.FILLED
        if self.canceled_quantity and not self.open_quantity:
            return OrderStatus.CANCELED
        return OrderStatus.PARTIALLY_FILLED if self.filled_quantity else OrderStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """One holding as the broker's book has it; `cost` in won without charges."""

    symbol: Symbol
    quantity: int
    sellable_quantity: int
    cost: int
    last: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's cash in won: settled today, after tomorrow, and after everything (D+2)."""

    deposit: int
    next_day_cash: int
    cash: int
    securities_value: int

    @property
    def equity(self) -> int:
        """Net asset value: D+2 cash plus holdings; never the deposit, which counts unsettled buys twice."""
        return self.cash + self.securities_value


@dataclass(frozen=True, slots=True)
class Buyable:
    """What one order may buy without a receivable (미수 없는 매수)."""

    cash: int
    quantity: int
