"""This is a broker that refuses everything as a rule: enough refusals in a row, no more buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.streaks import refused_in_a_row
from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class RejectStreak:
    """Refuse buys once the broker has refused the last `limit` orders of today, whatever their symbol.

    The trip of the same name halts all trading, but is looked at between runs only; this stops within one.
    What the owner has resumed after is forgiven here too.
    """

    limit: int
    rule_id: str = "REJECT_STREAK"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Count the refusals in a row; reaching the limit refuses."""
        count = _count(view)
        if intent.side is Side.SELL or count < self.limit:
            return None
        message = f"{count} orders refused in a row, limit {self.limit}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the refusals in a row and their limit; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {"rejects": str(_count(view)), "limit": str(self.limit)}


def _count(view: RiskView) -> int:
    return len(refused_in_a_row(view.day_orders, since=view.past.rejects_forgiven_at))
