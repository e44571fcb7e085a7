"""This is an account of the simulated broker: cash that settles on T+2, holdings at average cost, orders, fills."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from adapters.kis_sim.orders import BookedFill, BookedOrder
from trading.orders import Side


@dataclass(slots=True)
class Holding:
    """Shares of one symbol and what they cost without charges; `shown_until` keeps a sold-out row in sight."""

    symbol: str
    quantity: int = 0
    cost: int = 0
    shown_until: date = date.min

    def release(self, quantity: int) -> int:
        """Take shares out at average cost and return what they had cost."""
        released = self.cost * quantity // self.quantity
        self.quantity -= quantity
        self.cost -= released
        return released


@dataclass(slots=True)
class Account:
    """One account, `number` like 50012345-01; cash in won, positive and negative amounts on their settlement days."""

    number: str
    settled_cash: int
    unsettled: list[tuple[date, int]] = field(default_factory=list)
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: list[BookedOrder] = field(default_factory=list)
    fills: list[BookedFill] = field(default_factory=list)
    opening_equity: int = 0

    @property
    def digits(self) -> str:
        """The number as notices write it: ten digits."""
        return self.number.replace("-", "")

    @property
    def cash(self) -> int:
        """What is left when everything has settled (가수도정산금액)."""
        return self.settled_cash + sum(amount for _, amount in self.unsettled)

    def cash_on(self, day: date) -> int:
        """Return the deposit after the settlements up to and with `day`."""
        due = sum(amount for settles_on, amount in self.unsettled if settles_on <= day)
        return self.settled_cash + due

    def open_orders(self) -> list[BookedOrder]:
        """Return what may still fill, oldest first."""
        return [order for order in self.orders if order.is_open]

    def sellable(self, symbol: str) -> int:
        """Return the shares that no open sell order holds."""
        held = self.holdings[symbol].quantity if symbol in self.holdings else 0
        return held - sum(
            order.open_quantity
            for order in self.open_orders()
            if order.symbol == symbol and order.side is Side.SELL
        )

    def find(self, number: str, day: date) -> BookedOrder | None:
        """Return the row of an order number of `day`, however the client padded it."""
        wanted = number.strip().lstrip("0")
        for order in reversed(self.orders):
            if order.trading_day == day and order.number.lstrip("0") == wanted:
                return order
        return None

    def fills_of(self, day: date, side: Side | None = None) -> list[BookedFill]:
        """Return the fills of a day, of one side or both."""
        return [
            fill
            for fill in self.fills
            if fill.trading_day == day and (side is None or fill.side is side)
        ]

    def post(self, fill: BookedFill) -> BookedFill:
        """Take a fill into the books and return it with the average cost of what it sold."""
        holding = self.holdings.setdefault(fill.symbol, Holding(fill.symbol))
        if fill.side is Side.BUY:
            holding.quantity += fill.quantity
            holding.cost += fill.value
            amount = -fill.value - fill.commission
        else:
            fill = replace(fill, cost=holding.release(fill.quantity))
            amount = fill.value - fill.commission - fill.tax
        holding.shown_until = fill.settles_on
        self.unsettled.append((fill.settles_on, amount))
        self.fills.append(fill)
        return fill

    def settle(self, day: date) -> None:
        """Move what settles by `day` into the deposit and drop rows that have been empty long enough."""
        self.settled_cash = self.cash_on(day)
        self.unsettled = [(on, amount) for on, amount in self.unsettled if on > day]
        self.holdings = {
            symbol: holding
            for symbol, holding in self.holdings.items()
            if holding.quantity or holding.shown_until >= day
        }
