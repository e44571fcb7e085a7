"""This is the kill switch as a value: what may be traded now, and every reason to stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final

REHEARSED: Final = "halt.rehearsed"
"""The act in the audit of trying the kill switch, with the result."""


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

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells one halt from another: source, strategy, symbol."""
        return self.source, self.strategy_id, self.symbol

    def concerns(self, strategy_id: str, symbol: str = "") -> bool:
        """Tell whether orders of `strategy_id` in `symbol` are stopped by this halt."""
        return self.strategy_id in {"", strategy_id} and self.symbol in {"", symbol}


def strictest(halts: Iterable[Halt], *, strategy_id: str = "", symbol: str = "") -> TradingState:
    """Return what is allowed to `strategy_id` in `symbol` under all `halts`; "" asks about those for everyone."""
    concerning = (halt.state for halt in halts if halt.concerns(strategy_id, symbol))
    return max(concerning, key=_strictness, default=TradingState.ACTIVE)


def united(*places: Iterable[Halt]) -> tuple[Halt, ...]:
    """Give each halt once, in the order of appearance, as strict as in the place where it is strictest."""
    found: dict[tuple[str, str, str], Halt] = {}
    for halt in chain(*places):
        found[halt.key] = tightened(found.get(halt.key, halt), (halt,))
    return tuple(found.values())


def tightened(halt: Halt, known: Iterable[Halt]) -> Halt:
    """Give `halt`, no looser than the same one that is known already: only a resume loosens."""
    states = (other.state for other in known if other.key == halt.key)
    return replace(halt, state=max((halt.state, *states), key=_strictness))


def _strictness(state: TradingState) -> int:
    return list(TradingState).index(state)
