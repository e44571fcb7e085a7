"""This is a market out of breath as a rule: no buys while a price jumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class SuddenMove:
    """Refuse buys while the exchange's volatility interruption (VI) is on, or far from the day's base price.

    The broker tells of a VI with the price; between two readings one may come and go unseen. The move is that
    of the last price from the exchange's base price of the day: a price of some minutes ago is not kept.
    Reaching `limit`, a fraction, refuses.
    """

    limit: Decimal
    rule_id: str = "SUDDEN_MOVE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Look at the flag and at the move."""
        if intent.side is Side.SELL:
            return None
        is_interrupted = view.quotes[intent.symbol].has_volatility_interruption
        move = _move(intent, view)
        if not is_interrupted and abs(move) < self.limit:
            return None
        message = f"moved {move:+.2%}, limit {self.limit:.2%}, interrupted: {is_interrupted}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the move, its limit and the flag; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        quote = view.quotes[intent.symbol]
        return {
            "move": f"{_move(intent, view):.4f}",
            "last": str(quote.last),
            "base_price": str(quote.base_price),
            "limit": str(self.limit),
            "interrupted": str(quote.has_volatility_interruption),
        }


def _move(intent: OrderIntent, view: RiskView) -> Decimal:
    quote = view.quotes[intent.symbol]
    return Decimal(quote.last) / quote.base_price - 1
