"""This is what we hold of one symbol, at average cost (이동평균법)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from trading.errors import LedgerViolation
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side


@dataclass(frozen=True, slots=True)
class Position:
    """Shares and what they cost in won without charges (KIS pchs_amt), and what selling them has realised.

    `realized` is proceeds minus cost of the shares sold, before charges; `charges` are all commissions and
    taxes ever paid on this symbol, so that the net result is `realized - charges`.
    """

    symbol: Symbol
    quantity: int = 0
    cost: int = 0
    realized: int = 0
    charges: int = 0

    @property
    def average_cost(self) -> Decimal:
        """Won per share, 0 when nothing is held."""
        return Decimal(self.cost) / self.quantity if self.quantity else Decimal(0)

    def post(self, execution: Execution) -> Position:
        """Book one fill.

        Raises:
            LedgerViolation: when more would be sold than is held.
        """
        charges = self.charges + execution.commission + execution.tax
        is_buy = execution.side is Side.BUY
        return self._buy(execution, charges) if is_buy else self._sell(execution, charges)

    def adopt(self, quantity: int, cost: int) -> Position:
        """Take over shares bought elsewhere for `cost` won; both negative when shares left without a fill of ours.

        Raises:
            LedgerViolation: when more would leave than is held.
        """
        if self.quantity + quantity < 0 or self.cost + cost < 0:
            message = (
                f"{self.symbol}: {quantity} shares for {cost} onto {self.quantity} for {self.cost}"
            )
            raise LedgerViolation(message)
        return replace(self, quantity=self.quantity + quantity, cost=self.cost + cost)

    def unrealized(self, price: int) -> int:
        """Won gained or lost if valued at `price`, before charges."""
        return self.quantity * price - self.cost

    def _buy(self, execution: Execution, charges: int) -> Position:
        quantity, cost = self.quantity + execution.quantity, self.cost + execution.value
        return Position(self.symbol, quantity, cost, self.realized, charges)

    def _sell(self, execution: Execution, charges: int) -> Position:
        if execution.quantity > self.quantity:
            message = f"{self.symbol}: sell of {execution.quantity} with {self.quantity} held"
            raise LedgerViolation(message)
        released = self.cost * execution.quantity // self.quantity
        quantity, realized = (
            self.quantity - execution.quantity,
            self.realized + execution.value - released,
        )
        return Position(self.symbol, quantity, self.cost - released, realized, charges)
