"""This is a sane price as a rule: no order far away from where the symbol trades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class PriceCollar:
    """Refuse an order priced more than `limit` away from its reference, a fraction of that.

    A buy is held against the last price and against the one that its signal looked at, so that what has run
    away since is not run after; a market buy at the upper price limit. A sell is held against the last price
    alone, a market sell against nothing: a stop must get out of a falling market.
    """

    limit: Decimal
    rule_id: str = "PRICE_COLLAR"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Find a reference that the price is too far away from."""
        price = _price(intent, view)
        if price is None:
            return None
        for reference in _references(intent, view):
            if abs(price - reference) > self.limit * reference:
                message = f"{price:,} is more than {self.limit:.2%} away from {reference:,} won"
                return Breach(self.rule_id, message, self._figures(price, reference))
        return None

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the price and the reference that is furthest from it, in won; none for a market sell."""
        price = _price(intent, view)
        if price is None:
            return {}
        return self._figures(
            price, max(_references(intent, view), key=lambda r: abs(Decimal(price) / r - 1))
        )

    def _figures(self, price: int, reference: int) -> Mapping[str, str]:
        away = abs(Decimal(price) / reference - 1)
        return {
            "price": str(price),
            "reference": str(reference),
            "away": f"{away:.4f}",
            "limit": str(self.limit),
        }


def _price(intent: OrderIntent, view: RiskView) -> int | None:
    return view.worst_price(intent) if intent.side is Side.BUY else intent.limit_price


def _references(intent: OrderIntent, view: RiskView) -> tuple[int, ...]:
    last = view.quotes[intent.symbol].last
    is_judged = intent.side is Side.BUY and intent.reference_price > 0
    return (last, intent.reference_price) if is_judged else (last,)
