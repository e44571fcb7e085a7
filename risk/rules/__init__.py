"""This is the list of rules: one reason to refuse per file."""

from __future__ import annotations

from risk.gate import RiskRule
from risk.limits import RiskLimits
from risk.rules.cash import Cash
from risk.rules.daily_loss import DailyLoss
from risk.rules.duplicate import Duplicate
from risk.rules.halted import Halted
from risk.rules.market_closed import MarketClosed
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.maximum_quantity import MaximumQuantity
from risk.rules.maximum_weight import MaximumWeight
from risk.rules.sellable import Sellable
from risk.rules.stale_data import StaleData
from risk.rules.standing import Standing


def rules_for(limits: RiskLimits) -> tuple[RiskRule, ...]:
    """Make every rule with its limit."""
    return (
        Halted(),
        MarketClosed(),
        Standing(),
        StaleData(limits.maximum_price_age),
        Duplicate(),
        DailyLoss(limits.daily_loss),
        MaximumQuantity(limits.maximum_quantity_per_symbol),
        MaximumWeight(limits.maximum_weight),
        MaximumHoldings(limits.maximum_holdings),
        Cash(),
        Sellable(),
    )
