"""This is the size of one order as a rule: never more won in one buy than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class MaximumOrderValue:
    """Refuse a buy that may cost more than `limit` won, commission included, at its worst price."""

    limit: int
    rule_id: str = "MAXIMUM_ORDER_VALUE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the order's worst cost with the limit."""
        if intent.side is Side.SELL:
            return None
        value = view.worst_cost(intent, intent.quantity)
        if value <= self.limit:
            return None
        message = f"the order may cost {value:,} won, limit {self.limit:,}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the worst cost and its limit in won; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        value = view.worst_cost(intent, intent.quantity)
        return {"value": str(value), "limit": str(self.limit)}
