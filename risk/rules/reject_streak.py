"""This is a broker that refuses everything as a rule: enough refusals in a row, no more buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from risk.streaks import refused_in_a_row
from risk.tallies import Tally
from risk.views import RiskView


@dataclass(frozen=True, slots=True)
class RejectStreak(Tally):
    """Refuse buys once the broker has refused the last `limit` orders of today, whatever their symbol.

    The trip of the same name halts all trading, but is looked at between runs only; this stops within one.
    What the owner has resumed after is forgiven here too.
    """

    counted: ClassVar[str] = "rejects"
    words: ClassVar[str] = "orders refused in a row"

    rule_id: str = "REJECT_STREAK"

    def count(self, view: RiskView) -> int:
        """Count the refusals in a row."""
        return len(refused_in_a_row(view.day_orders, since=view.past.rejects_forgiven_at))
