"""This is a corporate action as a rule: on the day that prices change their meaning, nothing is ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent

TOLERANCE: Final = Decimal("0.005")
"""How far apart both prices may be: stored series are adjusted and rounded, by a won or two."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """Refuse all orders while the exchange's base price is not the close that our bars end with.

    The exchange moves the base price on the day of a split, a rights issue or a stock dividend (권리락), and
    only then. Averages, stops and costs of ours are in the old prices until the bars were read again: a stop
    would sell for a loss that there is not. Without yesterday's bar, or a base price, nobody can tell: it passes.
    """

    rule_id: str = "CORPORATE_ACTION"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare base price and close."""
        close, base = _prices(intent, view)
        if not close or not base or abs(base - close) <= TOLERANCE * close:
            return None
        message = f"base price {base:,} is not the last close {close:,}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give both prices in won, none where one is not known."""
        close, base = _prices(intent, view)
        return {"previous_close": str(close or "none"), "base_price": str(base or "none")}


def _prices(intent: OrderIntent, view: RiskView) -> tuple[int | None, int | None]:
    quote = view.quotes.get(intent.symbol)
    return view.past.previous_close, quote.base_price if quote else None
