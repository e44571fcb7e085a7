"""This is the rule of docs/plugins.md: no buys in the first minutes after the opening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side
from trading.sessions import session_of

INTERFACE = 1


@dataclass(frozen=True, slots=True)
class QuietHour:
    """Refuse a buy before so many `minutes` of the session are over."""

    minutes: int = 10
    rule_id: str = "QUIET_HOUR"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the moment with the opening."""
        ends_at = session_of(view.trading_day).opens_at + timedelta(minutes=self.minutes)
        if intent.side is Side.SELL or view.at >= ends_at:
            return None
        message = f"no buys in the first {self.minutes} minutes"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the moment and the minutes; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {"at": view.at.isoformat(), "minutes": str(self.minutes)}
