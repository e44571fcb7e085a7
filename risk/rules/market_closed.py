"""This is the session as a rule: nothing is placed when the exchange takes no such order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent
from trading.sessions import accepts


@dataclass(frozen=True, slots=True)
class MarketClosed:
    """Refuse outside the phases that accept the order's type, and for another day than today."""

    rule_id: str = "MARKET_CLOSED"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Look at the phase and the day."""
        is_today = intent.trading_day == view.trading_day
        if is_today and view.phase is not None and accepts(intent.order_type, view.phase):
            return None
        figures = self.figures(intent, view)
        message = f"{intent.order_type} for {intent.trading_day} in phase {figures['phase']}"
        return Breach(self.rule_id, f"{message} of {view.trading_day}", figures)

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give phase, type and both days."""
        return {
            "phase": view.phase.value if view.phase else "none",
            "order_type": intent.order_type.value,
            "order_day": intent.trading_day.isoformat(),
            "trading_day": view.trading_day.isoformat(),
        }
