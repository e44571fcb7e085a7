"""This is money as a rule: a buy must be paid from cash that nothing else may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Cash:
    """Refuse a buy whose worst price with commission is more than the available cash.

    That is what is left after all trades have settled (D+2) and all open buys are paid: proceeds of a sale buy
    again before they settle, and what was bought is never spent twice because its money still lies there.
    """

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
        """Give need and cash in won, and what the cash is made of; a sell needs none."""
        if intent.side is Side.SELL:
            return {}
        buyable = view.buyable_cash
        return {
            "need": str(view.worst_cost(intent, intent.quantity)),
            "available": str(view.available_cash),
            "cash": str(view.ledger.cash),
            "settled": str(view.ledger.settled_cash(view.trading_day)),
            "open_buys": str(sum(view.worst_costs)),
            "buyable": "none" if buyable is None else str(buyable),
        }
