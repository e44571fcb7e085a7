"""This is the age of prices as a rule: no order on a price that nobody has confirmed lately."""

from __future__ import annotations

from collections.abc import Mapping
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
        if self._are_fresh(intent, view):
            return None
        figures = self.figures(intent, view)
        message = (
            f"no price of [{figures['missing']}], prices of [{figures['stale']}] up to"
            f" {figures['oldest_age']} s away from now, limit {self.maximum_age}"
        )
        return Breach(self.rule_id, message, figures)

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give what is missing and stale, and how many seconds the oldest price is away, of the stale ones if any."""
        missing, ages = _ages(intent, view)
        stale = {symbol: age for symbol, age in ages.items() if not self._is_fresh(age)}
        oldest = max((abs(age) for age in (stale or ages).values()), default=timedelta())
        return {
            "missing": ", ".join(missing),
            "stale": ", ".join(sorted(stale)),
            "oldest_age": str(-(-oldest // timedelta(seconds=1))),
            "maximum_age": str(self.maximum_age),
        }

    def _are_fresh(self, intent: OrderIntent, view: RiskView) -> bool:
        """Look at every needed price once; which of them refuses is told only when one does."""
        earliest = view.at - timedelta(seconds=self.maximum_age)
        latest = view.at + CLOCK_MARGIN
        for symbol in _needed(intent, view):
            quote = view.quotes.get(symbol)
            if quote is None or quote.last <= 0 or not earliest <= quote.at <= latest:
                return False
        return True

    def _is_fresh(self, age: timedelta) -> bool:
        return -CLOCK_MARGIN <= age <= timedelta(seconds=self.maximum_age)


def _ages(intent: OrderIntent, view: RiskView) -> tuple[list[Symbol], dict[Symbol, timedelta]]:
    """Give the needed symbols without a price, and the ages of the others' prices."""
    needed = _needed(intent, view)
    missing = sorted(s for s in needed if not _has_price(s, view))
    return missing, {s: view.at - view.quotes[s].at for s in needed if s not in missing}


def _needed(intent: OrderIntent, view: RiskView) -> frozenset[Symbol]:
    """Give the symbols whose prices decide."""
    own = frozenset({intent.symbol})
    return own | view.exposed_symbols if intent.side is Side.BUY else own


def _has_price(symbol: Symbol, view: RiskView) -> bool:
    quote = view.quotes.get(symbol)
    return quote is not None and quote.last > 0
