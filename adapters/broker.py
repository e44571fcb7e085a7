"""This is what maemae asks of a broker; another broker plugs in here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.instruments import Symbol
from trading.orders import OrderIntent, OrderType
from trading.ticks import Quote

__all__ = [
    "Acceptance",
    "Access",
    "Balance",
    "BrokerAdapter",
    "BrokerOrder",
    "BrokerPosition",
    "Buyable",
]


class Access(Protocol):
    """The key's access to the broker: one token for all processes."""

    async def ensure(self) -> datetime:
        """Have a token that lasts the trading day, asking for a new one only if needed; give its expiry."""
        ...


class BrokerAdapter(Protocol):
    """A broker's account. Every method raises the five `BrokerError`s by next step.

    An error is never an empty result. `place` sends once and never repeats; a reply that does not say
    clearly yes or no raises `OutcomeUnknown`.
    """

    async def get_price(self, symbol: Symbol) -> Quote:
        """Read the current price of `symbol`."""
        ...

    async def place(self, intent: OrderIntent) -> Acceptance:
        """Send the order (symbol, side, quantity, price, order type), once."""
        ...

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel all that is left of an order; `Rejected` usually means that it filled meanwhile."""
        ...

    async def get_balance(self) -> Balance:
        """Read the cash figures."""
        ...

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read every holding above zero."""
        ...

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read all pages of the day's orders, oldest first; complete or an exception."""
        ...

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought; market orders are reckoned at the upper price limit."""
        ...
