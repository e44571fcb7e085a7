"""This is rest after failures as a rule: what the broker keeps refusing is let alone for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from risk.streaks import refused_in_a_row
from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class FailureCooldown:
    """Refuse buys of a symbol for `minutes` after the broker refused its last `failures` orders of today.

    A sell may be tried on: a stop must get out.
    """

    failures: int
    minutes: int
    rule_id: str = "FAILURE_COOLDOWN"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Count the symbol's refusals in a row and the time since the last; reaching the minutes is enough."""
        if intent.side is Side.SELL:
            return None
        count, last_at = _refusals(intent, view)
        if count < self.failures or last_at is None:
            return None
        if view.at - last_at >= timedelta(minutes=self.minutes):
            return None
        message = f"{count} orders of {intent.symbol} refused in a row, {self.minutes} minutes rest"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the refusals in a row, the seconds since the last and the limits; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        count, last_at = _refusals(intent, view)
        waited = "none" if last_at is None else str((view.at - last_at) // timedelta(seconds=1))
        return {
            "failures": str(count),
            "waited": waited,
            "limit": str(self.failures),
            "minutes": str(self.minutes),
        }


def _refusals(intent: OrderIntent, view: RiskView) -> tuple[int, datetime | None]:
    refused = refused_in_a_row(o for o in view.day_orders if o.symbol == intent.symbol)
    return len(refused), max((order.updated_at for order in refused), default=None)
