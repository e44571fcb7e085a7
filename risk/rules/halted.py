"""This is the kill switch as a rule: halted refuses everything, reducing refuses buys."""

from __future__ import annotations

from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.halts import TradingState
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Halted:
    """Refuse what the trading state, the account's or the strategy's, does not allow."""

    rule_id: str = "HALTED"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Compare the strictest halt with the side."""
        state = view.trading_state(intent.strategy_id)
        if state is TradingState.ACTIVE or (
            state is TradingState.REDUCING and intent.side is Side.SELL
        ):
            return None
        reasons = [
            f"{halt.source}: {halt.reason}"
            for halt in view.halts
            if halt.concerns(intent.strategy_id)
        ]
        figures = {"state": state.value, "halts": "; ".join(reasons)}
        return Breach(self.rule_id, f"trading is {state} ({figures['halts']})", figures)
