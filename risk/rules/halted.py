"""This is the kill switch as a rule: halted refuses everything, reducing refuses buys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from risk.views import RiskView
from trading.decisions import Breach
from trading.halts import Halt, TradingState, strictest
from trading.orders import OrderIntent, Side

RULE_ID: Final = "HALTED"


@dataclass(frozen=True, slots=True)
class Halted:
    """Refuse what the halts in force, of everything, the strategy or the symbol, do not allow."""

    rule_id: str = RULE_ID

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Ask the view's halts."""
        return stopped(intent, view.halts)

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give state and halts of what is ordered."""
        concerning = [h for h in view.halts if h.concerns(intent.strategy_id, intent.symbol)]
        state = strictest(concerning, strategy_id=intent.strategy_id, symbol=intent.symbol)
        return {"state": state.value, "halts": "; ".join(halt.source for halt in concerning)}


def stopped(intent: OrderIntent, halts: Iterable[Halt]) -> Breach | None:
    """Say who stopped an order and why, None when nobody did: the strictest halt that concerns it counts."""
    concerning = [halt for halt in halts if halt.concerns(intent.strategy_id, intent.symbol)]
    state = strictest(concerning, strategy_id=intent.strategy_id, symbol=intent.symbol)
    if state is TradingState.ACTIVE or (
        state is TradingState.REDUCING and intent.side is Side.SELL
    ):
        return None
    reasons = "; ".join(f"{halt.source}: {halt.reason}" for halt in concerning)
    return Breach(
        RULE_ID, f"trading is {state} ({reasons})", {"state": state.value, "halts": reasons}
    )
