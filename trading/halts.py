"""This is the kill switch as a value: what may be traded now, and every reason to stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TradingState(StrEnum):
    """What is allowed now: everything, sells only, nothing. Declared from the loosest to the strictest."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Halt:
    """One reason to stop, in force until it is lifted. Several may be in force; the strictest counts.

    `source` says who stopped (operator, file, prefect:<deployment>, trip:<rule>, reconciliation); one halt per
    source, strategy and symbol. `strategy_id` is "" for all strategies, `symbol` "" for all symbols.
    """

    source: str
    state: TradingState
    reason: str
    at: datetime
    strategy_id: str = ""
    symbol: str = ""

    def concerns(self, strategy_id: str, symbol: str = "") -> bool:
        """Tell whether orders of `strategy_id` in `symbol` are stopped by this halt."""
        return self.strategy_id in {"", strategy_id} and self.symbol in {"", symbol}


def strictest(halts: Iterable[Halt], *, strategy_id: str = "", symbol: str = "") -> TradingState:
    """Return what is allowed to `strategy_id` in `symbol` under all `halts`; "" asks about those for everyone."""
    order = list(TradingState)
    concerning = (halt.state for halt in halts if halt.concerns(strategy_id, symbol))
    return max(concerning, key=order.index, default=TradingState.ACTIVE)
