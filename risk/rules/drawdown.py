"""This is the fall from the peak as a rule: enough lost since the account stood highest, no more buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Refuse buys once equity has fallen by `limit` of the highest it ever closed at.

    Returns are chained day by day, so money paid in or out moves neither side. Open buys count as filled at
    their worst price.
    """

    limit: Decimal
    rule_id: str = "DRAWDOWN"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the fall with the limit; reaching it refuses."""
        if intent.side is Side.SELL:
            return None
        if view.equity_opening is None:
            figures = {"limit": str(self.limit), "at_last_close": f"{-view.past.depth:.4f}"}
            return Breach(self.rule_id, "the day's opening equity is unknown", figures)
        drawdown = _drawdown(view)
        if drawdown < self.limit:
            return None
        message = f"{drawdown:.2%} below the peak, limit {self.limit:.2%}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the fall and its limit as fractions; a sell is not asked."""
        if intent.side is Side.SELL or view.equity_opening is None:
            return {}
        return {
            "drawdown": f"{_drawdown(view):.4f}",
            "at_last_close": f"{-view.past.depth:.4f}",
            "equity": str(view.worst_equity),
            "limit": str(self.limit),
        }


def _drawdown(view: RiskView) -> Decimal:
    """Give how far below the peak the account is, as a fraction; 0 at a new peak."""
    base = (view.equity_opening or 0) + view.paid_in_today
    if base <= 0:
        return Decimal(0)
    return max(Decimal(0), 1 - (1 + view.past.depth) * view.worst_equity / base)
