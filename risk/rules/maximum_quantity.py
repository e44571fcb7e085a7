"""This is the number of shares as a rule: never more of one symbol than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class MaximumQuantity:
    """Refuse a buy after which holdings and open buys of the symbol would pass `limit` shares."""

    limit: int
    rule_id: str = "MAXIMUM_QUANTITY"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Add the order to the worst case."""
        there = view.worst_quantity(intent.symbol)
        if intent.side is Side.SELL or there + intent.quantity <= self.limit:
            return None
        message = f"{there:,} held and open plus {intent.quantity:,} pass {self.limit:,} shares"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the shares ordered, there, and allowed; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {
            "quantity": str(intent.quantity),
            "held_and_open": str(view.worst_quantity(intent.symbol)),
            "limit": str(self.limit),
        }
