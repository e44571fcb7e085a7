"""This is rest after a stop as a rule: what has just been sold at a loss is not bought again at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class StopCooldown:
    """Refuse buys of a symbol in the `sessions` trading days from its stop on, the day of the stop included.

    0 turns the rule off. The stop of any strategy counts.
    """

    sessions: int
    rule_id: str = "STOP_COOLDOWN"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Count the sessions since the symbol's last stop."""
        since = view.past.sessions_since_stop
        if intent.side is Side.SELL or since is None or since >= self.sessions:
            return None
        message = f"stopped {since} sessions ago, bought again after {self.sessions}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the sessions since the stop, none without one, and their limit; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        since = view.past.sessions_since_stop
        return {"since": "none" if since is None else str(since), "sessions": str(self.sessions)}
