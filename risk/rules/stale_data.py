"""This is the age of prices as a rule: no order on a price that nobody has confirmed lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from risk.views import RiskView
from trading.decisions import Breach
from trading.instruments import Symbol
from trading.orders import OrderIntent, Side

CLOCK_MARGIN = timedelta(seconds=5)
"""How far the broker's clock may be ahead of ours before a price from the future is no price."""


@dataclass(frozen=True, slots=True)
class StaleData:
    """Refuse when a needed price is missing or older than `maximum_age` seconds.

    A sell needs its own price. A buy needs those of all holdings and open buys too, because its limits are
    fractions of an equity made of them.
    """

    maximum_age: int
    rule_id: str = "STALE_DATA"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Find the worst of the needed prices."""
        needed = {intent.symbol}
        if intent.side is Side.BUY:
            needed |= view.exposed_symbols
        faults = {s: fault for s in sorted(needed) if (fault := self._fault(s, view))}
        if not faults:
            return None
        figures = {"maximum_age": f"{self.maximum_age} s"} | {
            str(s): why for s, why in faults.items()
        }
        return Breach(self.rule_id, ", ".join(f"{s} {why}" for s, why in faults.items()), figures)

    def _fault(self, symbol: Symbol, view: RiskView) -> str:
        quote = view.quotes.get(symbol)
        if quote is None or quote.last <= 0:
            return "has no price"
        age = view.at - quote.at
        if -CLOCK_MARGIN <= age <= timedelta(seconds=self.maximum_age):
            return ""
        return f"has a price of {quote.at.isoformat()}, {int(age.total_seconds())} s old"
