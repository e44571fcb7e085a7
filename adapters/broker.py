"""This is what maemae asks of a broker; another broker plugs in here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Protocol

from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.errors import Withheld
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
    "LastLook",
    "looks_on",
]


type LastLook = Callable[[], None]
"""Raises (`Withheld`, `LeaseLost`, `StoreUnavailable`) to keep an order from leaving."""


def looks_on() -> Withheld:
    """Give what every broker raises, before anything else, whose keys are for looking on."""
    return Withheld("keys of scope read place and cancel nothing", code="READ_ONLY")


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

    def wire_fields(self, intent: OrderIntent) -> Mapping[str, str]:
        """Give every field of the order as `place` would send it: evidence, kept before it leaves."""
        ...

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Send the order (symbol, side, quantity, price, order type), once.

        `last_look` is called once, after all waiting and at the last moment before the first byte is written;
        whatever it raises keeps the order from leaving and is raised as it is.
        """
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
