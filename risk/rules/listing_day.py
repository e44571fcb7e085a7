"""This is the first day of trading as a rule: no history, wide price limits, no buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class ListingDay:
    """Refuse buys on the day on which a symbol is listed. Where the broker tells no such day (paper), all pass."""

    rule_id: str = "LISTING_DAY"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the days."""
        instrument = view.instruments.get(intent.symbol)
        if intent.side is Side.SELL or instrument is None:
            return None
        if instrument.listed_on != view.trading_day:
            return None
        message = f"{intent.symbol} is listed today, {view.trading_day}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the day of listing, none where it is not known; a sell is not asked."""
        instrument = view.instruments.get(intent.symbol)
        if intent.side is Side.SELL or instrument is None:
            return {}
        listed = instrument.listed_on
        return {"listed_on": "none" if listed is None else listed.isoformat()}
