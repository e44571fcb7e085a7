"""This is what a replay is asked to do, and what it says to impossible questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from risk.gate import RiskRule
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.settings import StrategySettings
from trading.bars import Bar
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.instruments import Instrument, Symbol


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Strategies and limits as in a channel file, `cash` in won at the opening of `first`.

    `instruments` that are not named count as KOSPI stocks.
    """

    strategies: tuple[StrategySettings, ...]
    limits: RiskLimits
    sizing: SizingSettings
    costs: CostSchedule
    cash: int
    first: date
    last: date
    instruments: Mapping[Symbol, Instrument] = field(default_factory=dict)
    foreign_rules: tuple[RiskRule, ...] = ()

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol that a strategy trades, once, in order."""
        return tuple(
            sorted({symbol for settings in self.strategies for symbol in settings.symbols})
        )

    def instrument(self, symbol: Symbol) -> Instrument:
        """Give what is known of `symbol`."""
        return self.instruments.get(symbol, Instrument(symbol, symbol))

    def require_data(self, bars: Mapping[Symbol, Sequence[Bar]]) -> None:
        """Check that the question can be answered from `bars`.

        Raises:
            BadInput: for no cash, a first day after the last, a symbol without bars, or days without any.
        """
        if self.cash <= 0:
            raise BadInput("cash", self.cash, "won above 0")
        if self.first > self.last:
            raise BadInput(
                "first", self.first.isoformat(), f"not after last={self.last.isoformat()}"
            )
        missing = sorted(symbol for symbol in self.symbols if not bars.get(symbol))
        if missing:
            raise BadInput("symbols", ", ".join(missing), "symbols that have bars in the data")
        days = [bar.trading_day for symbol in self.symbols for bar in bars[symbol]]
        if self.first > max(days) or self.last < min(days):
            asked = f"{self.first.isoformat()}..{self.last.isoformat()}"
            there = f"{min(days).isoformat()}..{max(days).isoformat()}"
            raise BadInput("days", asked, f"days within the data, {there}")
