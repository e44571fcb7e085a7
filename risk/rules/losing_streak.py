"""This is a losing streak as a rule: after so many losing days in a row, a day without buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class LosingStreak:
    """Refuse buys when each of the last `limit` trading days ended with a loss.

    A day without a loss ends the streak, also one on which nothing is held any more: so it ends by itself.
    """

    limit: int
    rule_id: str = "LOSING_STREAK"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the days with the limit; reaching it refuses."""
        if intent.side is Side.SELL or view.past.losing_days < self.limit:
            return None
        message = f"{view.past.losing_days} losing days in a row, limit {self.limit}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the days in a row and their limit; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {"losing_days": str(view.past.losing_days), "limit": str(self.limit)}
