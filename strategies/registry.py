"""This is the list of strategies by the `kind` that a settings file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from strategies.base import Strategy
from strategies.breakout import Breakout
from strategies.faults import first_fault
from strategies.foreign import FOREIGN, ForeignStrategy
from strategies.momentum import Momentum
from strategies.moving_average import MovingAverageCross
from strategies.opening_range import OpeningRangeBreakout
from strategies.rsi_reversal import RsiReversal
from strategies.volatility_target import VolatilityTarget
from trading.errors import InvalidSetting

STRATEGIES: Final[Mapping[str, type[Strategy]]] = {
    strategy.kind: strategy
    for strategy in (
        MovingAverageCross,
        RsiReversal,
        Breakout,
        Momentum,
        VolatilityTarget,
        OpeningRangeBreakout,
    )
}


def strategy_class(kind: str) -> type[Strategy]:
    """Find the class of `kind`.

    Raises:
        InvalidSetting: naming the kinds that there are.
    """
    if kind.startswith(FOREIGN):
        return ForeignStrategy
    if kind not in STRATEGIES:
        kinds = ", ".join((*sorted(STRATEGIES), f"{FOREIGN}<id>"))
        raise InvalidSetting("kind", kind, f"one of {kinds}")
    return STRATEGIES[kind]


def build_strategy(kind: str, parameters: Mapping[str, Any]) -> Strategy:
    """Make the strategy of `kind` with `parameters`; those not named take their defaults.

    Raises:
        InvalidSetting: naming the first field that is wrong, its value and what would be right.
    """
    found = strategy_class(kind)
    if found is ForeignStrategy:
        return ForeignStrategy(plugin=kind.removeprefix(FOREIGN), parameters=dict(parameters))
    try:
        return found.model_validate(parameters)
    except ValidationError as error:
        raise first_fault(error) from None
