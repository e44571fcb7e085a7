"""This is the shape of a rule that counts something, and refuses buys once there is enough of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Tally(ABC):
    """Refuse buys when the count reaches `limit`. A sell is never refused: a stop must get out."""

    counted: ClassVar[str]
    """The name of the count among the figures."""
    words: ClassVar[str]
    """What is counted, after the number."""

    limit: int
    rule_id: str

    @abstractmethod
    def count(self, view: RiskView) -> int:
        """Count."""

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the count with the limit; reaching it refuses."""
        count = self.count(view)
        if intent.side is Side.SELL or count < self.limit:
            return None
        message = f"{count} {self.words}, limit {self.limit}"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the count and its limit; a sell is not asked."""
        if intent.side is Side.SELL:
            return {}
        return {self.counted: str(self.count(view)), "limit": str(self.limit)}
