"""This is the list of rules: one reason to refuse per file."""

from __future__ import annotations

from risk.gate import RiskRule
from risk.limits import RiskLimits
from risk.rules.cash import Cash
from risk.rules.corporate_action import CorporateAction
from risk.rules.daily_loss import DailyLoss
from risk.rules.drawdown import Drawdown
from risk.rules.duplicate import Duplicate
from risk.rules.failure_cooldown import FailureCooldown
from risk.rules.halted import Halted
from risk.rules.listing_day import ListingDay
from risk.rules.losing_streak import LosingStreak
from risk.rules.losing_trades import LosingTrades
from risk.rules.market_closed import MarketClosed
from risk.rules.maximum_daily_value import MaximumDailyValue
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.maximum_order_value import MaximumOrderValue
from risk.rules.maximum_quantity import MaximumQuantity
from risk.rules.maximum_weight import MaximumWeight
from risk.rules.order_rate import OrderRate
from risk.rules.price_collar import PriceCollar
from risk.rules.quick_move import QuickMove
from risk.rules.reject_streak import RejectStreak
from risk.rules.sellable import Sellable
from risk.rules.stale_data import StaleData
from risk.rules.standing import Standing
from risk.rules.stop_cooldown import StopCooldown
from risk.rules.sudden_move import SuddenMove


def rules_for(limits: RiskLimits) -> tuple[RiskRule, ...]:
    """Make every rule with its limit."""
    return (
        Halted(),
        MarketClosed(),
        Standing(),
        ListingDay(),
        CorporateAction(),
        StaleData(limits.maximum_price_age),
        SuddenMove(limits.sudden_move),
        QuickMove(limits.quick_move, limits.quick_move_minutes),
        PriceCollar(limits.price_collar),
        Duplicate(),
        OrderRate(limits.orders_per_minute),
        RejectStreak(limits.reject_streak),
        FailureCooldown(limits.symbol_failures, limits.failure_cooldown_minutes),
        StopCooldown(limits.stop_cooldown_sessions),
        DailyLoss(limits.daily_loss),
        Drawdown(limits.drawdown),
        LosingStreak(limits.losing_days),
        LosingTrades(limits.losing_trades),
        MaximumOrderValue(limits.maximum_order_value),
        MaximumDailyValue(limits.maximum_daily_value),
        MaximumQuantity(limits.maximum_quantity_per_symbol),
        MaximumWeight(limits.maximum_weight),
        MaximumHoldings(limits.maximum_holdings),
        Cash(),
        Sellable(),
    )
