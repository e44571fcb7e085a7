"""This is an order's life: intent, order, and the transition table that is the only way through it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.errors import BadInput, InvalidTransition
from trading.instruments import Symbol


class Side(StrEnum):
    """Buy or sell."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How the price is given."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class OrderStatus(StrEnum):
    """Where an order stands; see `TRANSITIONS`."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    FILLED = "FILLED"


_S = OrderStatus
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.INITIALIZED: frozenset({_S.DENIED, _S.SUBMITTED}),
    _S.DENIED: frozenset(),
    _S.SUBMITTED: frozenset(
        {_S.ACCEPTED, _S.REJECTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED}
    ),
    _S.ACCEPTED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.PENDING_CANCEL, _S.CANCELED, _S.EXPIRED, _S.REJECTED}
    ),
    _S.PARTIALLY_FILLED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.PENDING_CANCEL, _S.CANCELED, _S.EXPIRED}
    ),
    _S.PENDING_CANCEL: frozenset(
        {_S.CANCELED, _S.PARTIALLY_FILLED, _S.FILLED, _S.ACCEPTED, _S.REJECTED}
    ),
    _S.CANCELED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.EXPIRED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.REJECTED: frozenset({_S.ACCEPTED}),  # only what was declared absent: see `Order.find`
    _S.FILLED: frozenset(),
}
ABSENT = "ABSENT"
"""The error code of an order that left without an answer and was declared not accepted: inferred, not told."""
WITHHELD = "WITHHELD"
"""The error code of an order that we held back at the last moment."""
NEVER_IN = frozenset({ABSENT, WITHHELD, "THROTTLED", "UNAUTHORIZED", "UNAVAILABLE"})
"""The error codes of orders that are certainly not in, and that nobody has judged: they may be tried anew."""
OPEN_STATUSES = frozenset({_S.SUBMITTED, _S.ACCEPTED, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL})


def client_order_id(
    *,
    channel: str,
    account: str,
    strategy_id: str,
    symbol: Symbol,
    side: Side,
    trading_day: date,
    signal_id: str,
    sequence: int = 0,
) -> str:
    """Derive our order id from what the order is for: the same decision made twice is the same order."""
    parts = (channel, account, strategy_id, symbol, side.value, trading_day.isoformat(), signal_id)
    digest = hashlib.sha256("|".join((*parts, str(sequence))).encode()).hexdigest()[:16]
    return f"{digits_of(trading_day)}-{symbol}-{side.value[0]}-{digest}"


def digits_of(day: date) -> str:
    """Write a day without dashes; its own formatting takes ten times as long."""
    return day.isoformat().replace("-", "")


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What we want to order and why; `limit_price` in won on the tick grid, None for market orders."""

    client_order_id: str
    channel: str
    account: str
    strategy_id: str
    symbol: Symbol
    side: Side
    quantity: int
    order_type: OrderType
    limit_price: int | None
    trading_day: date
    signal_id: str
    reason: str
    created_at: datetime
    reference_price: int = 0
    parameter_hash: str = ""
    config_version: int = 0
    """The version of the settings whose limits and sizes made it, 0 where none is numbered."""

    def __post_init__(self) -> None:
        """Refuse what cannot be an order.

        Raises:
            BadInput: naming quantity or limit_price.
        """
        if self.quantity <= 0:
            raise BadInput("quantity", self.quantity, "at least one whole share")
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise BadInput("limit_price", self.limit_price, "a price for LIMIT, none for MARKET")
        if self.limit_price is not None and self.limit_price <= 0:
            raise BadInput("limit_price", self.limit_price, "whole won above 0")


@dataclass(frozen=True, slots=True)
class Order:
    """An intent and what became of it. Every method returns the new order.

    `filled_value` is the exact sum in won of all fills; the average price is derived.
    """

    intent: OrderIntent
    status: OrderStatus
    updated_at: datetime
    broker_order_id: str = ""
    broker_branch: str = ""
    filled_quantity: int = 0
    filled_value: int = 0
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    error_code: str = ""
    error_message: str = ""

    @classmethod
    def initialize(cls, intent: OrderIntent) -> Order:
        """Make the stored, unsent order of an intent."""
        return cls(intent, OrderStatus.INITIALIZED, intent.created_at)

    @property
    def client_order_id(self) -> str:
        """Our id."""
        return self.intent.client_order_id

    @property
    def symbol(self) -> Symbol:
        """What is ordered."""
        return self.intent.symbol

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.intent.side

    @property
    def quantity(self) -> int:
        """Shares ordered."""
        return self.intent.quantity

    @property
    def open_quantity(self) -> int:
        """Shares that may still fill; 0 once the order is closed."""
        return self.quantity - self.filled_quantity if self.is_open else 0

    @property
    def average_price(self) -> Decimal | None:
        """Won per share over all fills, None before the first."""
        return Decimal(self.filled_value) / self.filled_quantity if self.filled_quantity else None

    @property
    def is_open(self) -> bool:
        """Whether the order may still fill as far as we know."""
        return self.status in OPEN_STATUSES

    @property
    def is_in_doubt(self) -> bool:
        """Whether the order may have left without a clear answer."""
        return self.status is OrderStatus.SUBMITTED

    @property
    def may_turn_up(self) -> bool:
        """Whether a row of it may still turn up in the broker's book: open, or only inferred to be absent."""
        return self.is_open or (self.status, self.error_code) == (OrderStatus.REJECTED, ABSENT)

    def deny(self, reason: str, *, at: datetime) -> Order:
        """Refuse by our own gate; it is never sent."""
        return self._move(OrderStatus.DENIED, at=at, error_code="DENIED", error_message=reason)

    def submit(self, *, at: datetime) -> Order:
        """Mark as possibly sent; must be committed before the socket write."""
        return self._move(OrderStatus.SUBMITTED, at=at, submitted_at=at)

    def accept(self, broker_order_id: str, *, branch: str = "", at: datetime) -> Order:
        """Take the broker's number. A fill that overtook the reply keeps its status.

        Raises:
            InvalidTransition: when another number is already bound.
        """
        if self.broker_order_id and self.broker_order_id != broker_order_id:
            message = (
                f"{self.client_order_id}: {self.broker_order_id} is bound, {broker_order_id} came"
            )
            raise InvalidTransition(message)
        stamp: dict[str, Any] = {
            "broker_order_id": broker_order_id,
            "broker_branch": branch or self.broker_branch,
            "accepted_at": self.accepted_at or at,
        }
        if self.status is OrderStatus.SUBMITTED:
            return self._move(OrderStatus.ACCEPTED, at=at, **stamp)
        if self.broker_order_id or self.filled_quantity:
            return replace(self, **stamp)
        raise InvalidTransition(f"{self.client_order_id}: {self.status} cannot be accepted")

    def reject(self, code: str, message: str, *, at: datetime) -> Order:
        """Record the broker's or the exchange's refusal."""
        return self._move(OrderStatus.REJECTED, at=at, error_code=code, error_message=message)

    def find(self, broker_order_id: str, *, branch: str = "", at: datetime) -> Order:
        """Bind the broker's row of an order that had been declared absent after all.

        Raises:
            InvalidTransition: when the order is no absent one: a refusal that the broker told stands.
        """
        if (self.status, self.error_code) != (OrderStatus.REJECTED, ABSENT):
            raise InvalidTransition(f"{self.client_order_id}: {self.status} was not absent")
        found = self._move(OrderStatus.ACCEPTED, at=at, error_code="", error_message="")
        return replace(found, broker_order_id=broker_order_id, broker_branch=branch, accepted_at=at)

    def fill(self, quantity: int, value: int, *, at: datetime) -> Order:
        """Add one fill of `quantity` shares for `value` won in all.

        Raises:
            InvalidTransition: when more would be filled than was ordered.
        """
        filled = self.filled_quantity + quantity
        if quantity <= 0 or filled > self.quantity:
            message = f"{self.client_order_id}: fill of {quantity} on {self.filled_quantity}/{self.quantity}"
            raise InvalidTransition(message)
        status = OrderStatus.FILLED if filled == self.quantity else OrderStatus.PARTIALLY_FILLED
        worth = self.filled_value + value
        return self._move(status, at=at, filled_quantity=filled, filled_value=worth)

    def request_cancel(self, *, at: datetime) -> Order:
        """Mark that a cancel is on its way."""
        return self._move(OrderStatus.PENDING_CANCEL, at=at)

    def refuse_cancel(self, *, at: datetime) -> Order:
        """Record that no cancel is in while the order lives on."""
        is_partial = self.filled_quantity > 0
        return self._move(
            OrderStatus.PARTIALLY_FILLED if is_partial else OrderStatus.ACCEPTED, at=at
        )

    def cancel(self, *, at: datetime, reason: str = "") -> Order:
        """Record that what is left will not fill."""
        return self._move(OrderStatus.CANCELED, at=at, error_message=reason or self.error_message)

    def expire(self, *, at: datetime) -> Order:
        """Record that the trading day ended with the rest unfilled."""
        return self._move(OrderStatus.EXPIRED, at=at)

    def _move(self, to: OrderStatus, *, at: datetime, **changes: object) -> Order:
        is_final = self.status is OrderStatus.REJECTED and self.error_code != ABSENT
        if is_final or to not in TRANSITIONS[self.status]:
            raise InvalidTransition(
                f"{self.client_order_id}: {self.status} -> {to} is not in the table"
            )
        return replace(self, status=to, updated_at=at, **changes)  # type: ignore[arg-type]  # field names checked by tests
