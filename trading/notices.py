"""This is what the broker tells unasked about our orders: notices (체결통보)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.instruments import Symbol
from trading.orders import OrderType, Side


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
