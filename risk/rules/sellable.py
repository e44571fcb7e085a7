"""This is ownership as a rule: never sell more than is held and not yet promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Sellable:
    """Refuse a sell of more shares than are held beyond all open sells."""

    rule_id: str = "SELLABLE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare quantity and shares."""
        sellable = view.sellable_quantity(intent.symbol)
        if intent.side is Side.BUY or intent.quantity <= sellable:
            return None
        message = f"{intent.quantity:,} of {sellable:,} sellable"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the shares ordered and there to sell; a buy is not asked."""
        if intent.side is Side.BUY:
            return {}
        sellable = view.sellable_quantity(intent.symbol)
        return {"quantity": str(intent.quantity), "sellable": str(sellable)}
