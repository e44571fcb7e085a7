"""This is the day's loss as a rule: enough lost, no more buys today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class DailyLoss:
    """Refuse buys once equity, realised and unrealised, has lost `limit` of the day's opening equity.

    Equity is D+2 cash plus holdings, so settlement is never a loss; money paid in today is never a profit.
    Open buys count as filled at their worst price.
    """

    limit: Decimal
    rule_id: str = "DAILY_LOSS"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the day's result with the limit; reaching it refuses."""
        if intent.side is Side.SELL:
            return None
        if view.equity_opening is None:
            figures = {"limit": str(self.limit), "paid_in_today": str(view.paid_in_today)}
            return Breach(self.rule_id, "the day's opening equity is unknown", figures)
        result = view.worst_equity - view.paid_in_today - view.equity_opening
        if -result < self.limit * view.equity_opening:
            return None
        message = f"day result {result:,} won reaches -{self.limit:.2%} of {view.equity_opening:,}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give result, limit and equity in won; a sell is not asked."""
        if intent.side is Side.SELL or view.equity_opening is None:
            return {}
        return {
            "day_result": str(view.worst_equity - view.paid_in_today - view.equity_opening),
            "limit": str(self.limit),
            "equity": str(view.worst_equity),
            "equity_opening": str(view.equity_opening),
            "paid_in_today": str(view.paid_in_today),
        }
