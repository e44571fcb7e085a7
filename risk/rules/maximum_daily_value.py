"""This is the day's buying as a rule: never more won spent on one day than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class MaximumDailyValue:
    """Refuse a buy with which the day's buys may cost more than `limit` won.

    What filled counts at its price without commission, what is open or in doubt whole and at its worst.
    """

    limit: int
    rule_id: str = "MAXIMUM_DAILY_VALUE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Add the order to the day's worst case."""
        if intent.side is Side.SELL:
            return None
        spent = _spent(view)
        value = view.worst_cost(intent, intent.quantity)
        if spent + value <= self.limit:
            return None
        message = f"{value:,} won beside {spent:,} of today pass {self.limit:,}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the day's buys, the order and the limit in won; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        value = view.worst_cost(intent, intent.quantity)
        return {"spent": str(_spent(view)), "value": str(value), "limit": str(self.limit)}


def _spent(view: RiskView) -> int:
    """Give the won that today's buys have cost or may still cost."""
    filled = sum(o.filled_value for o in view.day_orders if o.side is Side.BUY)
    return filled + sum(view.worst_costs)
