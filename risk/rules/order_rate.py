"""This is the pace of ordering as a rule: a loop gone wild must not reach the broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OrderRate:
    """Refuse a buy that would be more than the `limit`-th order sent within a minute, sells counted too.

    A sell is never refused: a stop must get out, and no more can be sold than is held.
    """

    limit: int
    rule_id: str = "ORDER_RATE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Count what was sent within the last minute."""
        sent = _sent(view)
        if intent.side is Side.SELL or sent < self.limit:
            return None
        message = f"{sent} orders sent within a minute, limit {self.limit}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give how many were sent and may be; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {"sent": str(_sent(view)), "limit": str(self.limit)}


def _sent(view: RiskView) -> int:
    since = view.at - MINUTE
    return sum(o.submitted_at is not None and o.submitted_at > since for o in view.day_orders)
