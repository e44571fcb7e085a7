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

    `source` says who stopped (operator, file, prefect:<deployment>, trip:<rule>); one halt per source and
    strategy. `strategy_id` is "" for all strategies.
    """

    source: str
    state: TradingState
    reason: str
    at: datetime
    strategy_id: str = ""

    def concerns(self, strategy_id: str) -> bool:
        """Tell whether `strategy_id` is stopped by this halt."""
        return self.strategy_id in {"", strategy_id}


def strictest(halts: Iterable[Halt], *, strategy_id: str = "") -> TradingState:
    """Return what is allowed to `strategy_id` under all `halts`; "" asks about the halts for everyone."""
    order = list(TradingState)
    concerning = (halt.state for halt in halts if halt.concerns(strategy_id))
    return max(concerning, key=order.index, default=TradingState.ACTIVE)
