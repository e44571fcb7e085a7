"""This is money as a rule: a buy must be paid from cash that nothing else may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Cash:
    """Refuse a buy whose worst price with commission is more than the available cash."""

    rule_id: str = "CASH"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare need and cash."""
        if intent.side is Side.SELL:
            return None
        need = view.worst_cost(intent, intent.quantity)
        if need <= view.available_cash:
            return None
        message = f"needs {need:,} won, {view.available_cash:,} available"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give need and cash in won; a sell needs none."""
        if intent.side is Side.SELL:
            return {}
        need = view.worst_cost(intent, intent.quantity)
        return {"need": str(need), "available": str(view.available_cash)}
