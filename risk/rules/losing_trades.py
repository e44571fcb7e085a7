"""This is a run of losing trades as a rule: after so many in a row, no more buys on that day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from risk.tallies import Tally
from risk.views import RiskView


@dataclass(frozen=True, slots=True)
class LosingTrades(Tally):
    """Refuse buys for the rest of the day on which the `limit`-th closed trade in a row has lost.

    A trade is one strategy's way from nothing held to nothing held, after all charges; those of all strategies
    count together. The next day may try again; each further loss ends it at once.
    """

    counted: ClassVar[str] = "losing_trades"
    words: ClassVar[str] = "closed trades in a row lost"

    rule_id: str = "LOSING_TRADES"

    def count(self, view: RiskView) -> int:
        """Give the trades, of which the newest was closed today."""
        return view.past.losing_trades
