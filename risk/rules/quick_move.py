"""This is a price that runs as a rule: no buys for as long as a jump of some minutes is not over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class QuickMove:
    """Refuse buys while a price has moved by `limit`, a fraction, between its lowest and highest of `minutes`.

    Looked at are the closed minute bars that end within the last `minutes`, and the last price; so the hold
    begins by itself, with the first order after the jump, and ends by itself. Where no minute has closed (in
    the opening auction, in a replay of days) only the last price is known, and it passes.
    """

    limit: Decimal
    minutes: int
    rule_id: str = "QUICK_MOVE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the move with the limit; reaching it refuses."""
        if intent.side is Side.SELL:
            return None
        lowest, highest = self._span(intent, view)
        if highest - lowest < self.limit * lowest:
            return None
        message = f"from {lowest:,} to {highest:,} won within {self.minutes} minutes"
        figures = self.figures(intent, view)
        return Breach(self.rule_id, f"{message}, limit {self.limit:.2%}", figures)

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give both prices in won, the move between them, and what it may be; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        lowest, highest = self._span(intent, view)
        return {
            "lowest": str(lowest),
            "highest": str(highest),
            "last": str(view.quotes[intent.symbol].last),
            "move": f"{Decimal(highest) / lowest - 1:.4f}",
            "limit": str(self.limit),
            "within": str(self.minutes),
        }

    def _span(self, intent: OrderIntent, view: RiskView) -> tuple[int, int]:
        """Give the lowest and the highest price of the last minutes."""
        since = view.at - timedelta(minutes=self.minutes)
        bars = [bar for bar in view.minute_bars if bar.at > since and bar.volume]
        last = view.quotes[intent.symbol].last
        return min((last, *(bar.low for bar in bars))), max((last, *(bar.high for bar in bars)))
