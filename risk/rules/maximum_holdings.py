"""This is the number of holdings as a rule: never more symbols at once than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class MaximumHoldings:
    """Refuse a buy of a new symbol when holdings and open buys already fill `limit` places.

    An open sell frees no place before it has filled.
    """

    limit: int
    rule_id: str = "MAXIMUM_HOLDINGS"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Add the order's symbol to the worst case."""
        if intent.side is Side.SELL:
            return None
        there = view.exposed_symbols
        if len(there | {intent.symbol}) <= self.limit or intent.symbol in there:
            return None
        message = f"{intent.symbol} beside {len(there)} held and open passes {self.limit}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the symbols that are there, and how many may be; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        there = ", ".join(sorted(view.exposed_symbols))
        return {"held_and_open": there, "limit": str(self.limit)}
