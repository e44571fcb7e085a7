"""This is a trade as people read it: bought, sold, what it cost and what it brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side

UNKNOWN: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A way from nothing held to nothing held; `left_on` is None while it goes on. Values in won, charges apart.

    `trigger` says what ended it, "" where nobody knows.
    """

    strategy_id: str
    symbol: Symbol
    entered_on: date
    left_on: date | None = None
    bought: int = 0
    sold: int = 0
    bought_value: int = 0
    sold_value: int = 0
    commission: int = 0
    tax: int = 0
    trigger: str = ""

    @property
    def entry_price(self) -> Decimal:
        """Won paid per share."""
        return Decimal(self.bought_value) / self.bought

    @property
    def exit_price(self) -> Decimal | None:
        """Won got per share, None before the first sale."""
        return Decimal(self.sold_value) / self.sold if self.sold else None

    @property
    def result(self) -> int | None:
        """Won that it brought after all charges, None while it goes on."""
        return None if self.left_on is None else self.result_at(0)

    @property
    def held(self) -> int:
        """Shares that are left."""
        return self.bought - self.sold

    def result_at(self, price: int) -> int:
        """Return the won that it brings with what is left of it at `price`."""
        value = self.sold_value + self.held * price
        return value - self.bought_value - self.commission - self.tax

    def add(self, fill: Execution, trigger: str) -> RoundTrip:
        """Give the trade with one more fill."""
        charged = replace(
            self, commission=self.commission + fill.commission, tax=self.tax + fill.tax
        )
        if fill.side is Side.BUY:
            return replace(
                charged,
                bought=self.bought + fill.quantity,
                bought_value=self.bought_value + fill.value,
            )
        sold = self.sold + fill.quantity
        return replace(
            charged,
            sold=sold,
            sold_value=self.sold_value + fill.value,
            left_on=fill.trading_day if sold == self.bought else None,
            trigger=trigger,
        )


def round_trips(
    executions: Iterable[Execution], triggers: Mapping[str, str] = UNKNOWN
) -> tuple[RoundTrip, ...]:
    """Give every trade in order of its purchase; `triggers` say by order what it was for.

    A sale of more than a strategy bought, as of shares from elsewhere, belongs to no trade.
    """
    trips: list[RoundTrip] = []
    running: dict[tuple[str, Symbol], int] = {}
    for fill in executions:
        key = (fill.strategy_id, fill.symbol)
        held = trips[running[key]].held if key in running else 0
        if fill.side is Side.SELL and fill.quantity > held:
            continue
        if key not in running:
            running[key] = len(trips)
            trips.append(RoundTrip(*key, fill.trading_day))
        place = running[key]
        trips[place] = trips[place].add(fill, triggers.get(fill.client_order_id, ""))
        if trips[place].left_on:
            del running[key]
    return tuple(trips)
