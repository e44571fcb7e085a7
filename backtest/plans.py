"""This is what a replay is asked to do, and what it says to impossible questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from backtest.options import MOST, BacktestOptions, MarketRules
from risk.gate import RiskRule
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.rules.cash import Cash
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.sellable import Sellable
from risk.rules.standing import Standing
from risk.sizing import SizingSettings
from strategies.settings import StrategySettings
from trading.costs import CostSchedule
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.executions import Execution
from trading.instruments import Instrument, Listing, Symbol
from trading.ledger import Ledger

type Span = tuple[date, date]
"""The first and the last day with a bar."""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Strategies and limits as in a channel file, `cash` in won at the opening of `first`.

    `instruments` that are not named count as KOSPI stocks. An account that was there before has an `opening`
    book, `past` fills by which its strategies hold what they hold, a `curve` up to the day before, `stopped` symbols
    with the sessions from their last stop to `first`, and `deposits` by day; trading begins at once.
    With `options` those decide instead of the channel's conventions (see `backtest.conventions.plan_of`).
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
    opening: Ledger | None = None
    past: tuple[Execution, ...] = ()
    curve: tuple[EquityPoint, ...] = ()
    stopped: Mapping[Symbol, int] = field(default_factory=dict)
    deposits: Mapping[date, int] = field(default_factory=dict)
    options: BacktestOptions | None = None
    listings: Mapping[Symbol, Listing] = field(default_factory=dict)
    """Bars outside are no bars, entries outside are not made, what is held is sold at the last close before the end."""

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol that a strategy trades or the account holds, once, in order."""
        traded = {symbol for settings in self.strategies for symbol in settings.symbols}
        return tuple(sorted(traded.union(self.opening.held_symbols if self.opening else ())))

    def instrument(self, symbol: Symbol) -> Instrument:
        """Give what is known of `symbol` on past days: halts and warnings of today are not theirs."""
        known = self.instruments.get(symbol, Instrument(symbol, symbol))
        return replace(known, is_halted=False, is_administrative=False, is_liquidation=False)

    def is_listed(self, symbol: Symbol, day: date) -> bool:
        """Tell whether `symbol` could be traded on a day."""
        listing = self.listings.get(symbol)
        return listing is None or listing.holds(day)

    def rules_of(self, settings: StrategySettings) -> tuple[RiskRule, ...]:
        """Give every rule that the orders of a strategy are asked by."""
        if self.options is not None:
            return (*_rules_of(self.options), *self.foreign_rules)
        return (*rules_for(self.limits.tightened(settings.risk)), *self.foreign_rules)

    def rules_about(self, strategy_id: str) -> tuple[RiskRule, ...]:
        """Give every rule that an order was asked by, also one that no strategy of the plan made."""
        for settings in self.strategies:
            if settings.id == strategy_id:
                return self.rules_of(settings)
        return (*rules_for(self.limits), *self.foreign_rules)

    def require_data(self, spans: Mapping[Symbol, Span]) -> None:
        """Check that the question can be answered from bars of these symbols and days.

        Raises:
            BadInput: for no cash, a first day after the last, a symbol without bars, or days without any.
        """
        if not 0 < self.cash <= MOST and self.opening is None:
            raise BadInput("cash", self.cash, f"won above 0 and up to {MOST}")
        if self.first > self.last:
            raise BadInput(
                "first", self.first.isoformat(), f"not after last={self.last.isoformat()}"
            )
        missing = sorted(symbol for symbol in self.symbols if symbol not in spans)
        if missing:
            raise BadInput("symbols", ", ".join(missing), "symbols that have bars in the data")
        begin = min(spans[symbol][0] for symbol in self.symbols)
        end = max(spans[symbol][1] for symbol in self.symbols)
        if self.first > end or self.last < begin:
            asked = f"{self.first.isoformat()}..{self.last.isoformat()}"
            raise BadInput(
                "days", asked, f"days within the data, {begin.isoformat()}..{end.isoformat()}"
            )


def _rules_of(options: BacktestOptions) -> tuple[RiskRule, ...]:
    """Give what holds in any account, and the number of places: no other limit stands in a convention's way."""
    standing = (Standing(),) if options.market is MarketRules.KRX else ()
    places = options.maximum_holdings
    holdings = () if places is None else (MaximumHoldings(places),)
    return (*standing, *holdings, Cash(), Sellable())
