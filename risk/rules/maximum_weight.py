"""This is concentration as a rule: never more of the account in one symbol than the limit."""

from __future__ import annotations

from collections.abc import Mapping
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
        value, equity = _value(intent, view), _equity(intent, view)
        if value <= self.limit * equity:
            return None
        figures = self.figures(intent, view)
        message = f"{value:,} of {equity:,} won is a weight of {figures['weight']}"
        return Breach(self.rule_id, f"{message}, limit {self.limit}", figures)

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give what the symbol could be worth and weigh, in won; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        value, equity = _value(intent, view), _equity(intent, view)
        return {
            "value": str(value),
            "order_value": str(intent.quantity * view.worst_mark(intent)),
            "equity": str(equity),
            "weight": f"{Decimal(value) / equity:.4f}" if equity > 0 else "none",
            "limit": str(self.limit),
        }


def _value(intent: OrderIntent, view: RiskView) -> int:
    return view.worst_value(intent.symbol) + intent.quantity * view.worst_mark(intent)


def _equity(intent: OrderIntent, view: RiskView) -> int:
    return view.worst_equity - view.worst_loss(intent, intent.quantity)
