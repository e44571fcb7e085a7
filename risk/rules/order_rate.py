"""This is the pace of ordering as a rule: a loop gone wild must not reach the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from risk.tallies import Tally
from risk.views import RiskView

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OrderRate(Tally):
    """Refuse a buy that would be more than the `limit`-th order sent within a minute, sells counted too.

    Sells are bounded by what is held, and by the attempts that one exit has.
    """

    counted: ClassVar[str] = "sent"
    words: ClassVar[str] = "orders sent within a minute"

    rule_id: str = "ORDER_RATE"

    def count(self, view: RiskView) -> int:
        """Count what was sent within the last minute."""
        since = view.at - MINUTE
        return sum(o.submitted_at is not None and o.submitted_at > since for o in view.day_orders)
