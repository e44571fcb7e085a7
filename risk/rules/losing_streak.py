"""This is a run of losing days as a rule: after so many in a row, a day without buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from risk.tallies import Tally
from risk.views import RiskView


@dataclass(frozen=True, slots=True)
class LosingStreak(Tally):
    """Refuse buys when each of the last `limit` trading days ended with a loss.

    A day without a loss ends the streak, also one on which nothing is held any more: so it ends by itself.
    """

    counted: ClassVar[str] = "losing_days"
    words: ClassVar[str] = "losing days in a row"

    rule_id: str = "LOSING_STREAK"

    def count(self, view: RiskView) -> int:
        """Give the days, as the equity curve tells them."""
        return view.past.losing_days
