"""This is the list of strategies by the `kind` that a settings file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from strategies.base import Strategy
from strategies.faults import first_fault
from strategies.moving_average import MovingAverageCross
from trading.errors import InvalidSetting

STRATEGIES: Final[Mapping[str, type[Strategy]]] = {
    strategy.kind: strategy for strategy in (MovingAverageCross,)
}


def strategy_class(kind: str) -> type[Strategy]:
    """Find the class of `kind`.

    Raises:
        InvalidSetting: naming the kinds that there are.
    """
    if kind not in STRATEGIES:
        raise InvalidSetting("kind", kind, f"one of {', '.join(sorted(STRATEGIES))}")
    return STRATEGIES[kind]


def build_strategy(kind: str, parameters: Mapping[str, Any]) -> Strategy:
    """Make the strategy of `kind` with `parameters`; those not named take their defaults.

    Raises:
        InvalidSetting: naming the first field that is wrong, its value and what would be right.
    """
    try:
        return strategy_class(kind).model_validate(parameters)
    except ValidationError as error:
        raise first_fault(error) from None
