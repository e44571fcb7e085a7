"""This is concentration as a rule: never more of the account in one symbol than the limit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class MaximumWeight:
    """Refuse a buy after which the symbol could be worth more than `limit` of equity.

    Worst case on both sides: open buys and this order at their worst price, equity less what paying those
    prices would lose.
    """

    limit: Decimal
    rule_id: str = "MAXIMUM_WEIGHT"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Add the order to the worst case."""
        if intent.side is Side.SELL:
            return None
        order_value = intent.quantity * view.worst_mark(intent)
        value = view.worst_value(intent.symbol) + order_value
        equity = view.worst_equity - view.worst_loss(intent, intent.quantity)
        if value <= self.limit * equity:
            return None
        weight = f"{Decimal(value) / equity:.4f}" if equity > 0 else "none"
        figures = {
            "value": str(value),
            "order_value": str(order_value),
            "equity": str(equity),
            "weight": weight,
            "limit": str(self.limit),
        }
        message = f"{value:,} of {equity:,} won is a weight of {weight}, limit {self.limit}"
        return Breach(self.rule_id, message, figures)
