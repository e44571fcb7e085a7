"""This is when a position is left for its own sake: a loss too large, a profit large enough."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import floor

from pydantic import BaseModel, ConfigDict, Field

from trading.errors import BadInput
from trading.positions import Position


class Trigger(StrEnum):
    """What made a signal."""

    CROSS = "cross"
    REVERSAL = "reversal"
    BREAKOUT = "breakout"
    RANGE = "range"
    WEIGHT = "weight"
    STOP = "stop"
    TARGET = "target"
    DELISTED = "delisted"
    """Of a replay alone: there is no later price."""


class ExitParameters(BaseModel):
    """How far the price may go from the average cost or the highest price, as fractions; null switches one off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop_loss: Decimal | None = Field(
        default=Decimal("0.05"), gt=0, lt=1, description="fraction below average cost, 0.05 is -5 %"
    )
    take_profit: Decimal | None = Field(
        default=Decimal("0.10"),
        gt=0,
        le=10,
        description="fraction above average cost, 0.10 is +10 %",
    )
    trailing_stop: Decimal | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="fraction below the highest price since the entry; raises the stop, never lowers it",
    )


@dataclass(frozen=True, slots=True)
class ExitLevels:
    """Prices in won at which a position is left; None where there is no such exit."""

    stop: int | None
    target: int | None

    def reached(self, price: int) -> Trigger | None:
        """Tell which exit a traded `price` has reached; the level itself counts.

        Raises:
            BadInput: for a price of 0 or less, which means that there is none.
        """
        if price <= 0:
            raise BadInput("price", price, "a traded price in won")
        if self.stop is not None and price <= self.stop:
            return Trigger.STOP
        if self.target is not None and price >= self.target:
            return Trigger.TARGET
        return None


def exit_levels(position: Position, parameters: ExitParameters, *, peak: int = 0) -> ExitLevels:
    """Work out both levels from the exact average cost, and from the highest price since the entry, 0 if unknown.

    The stop is floored and the target is ceiled to whole won: 438,000 gives 416,100 and 481,800.
    """
    stop, trail, target = parameters.stop_loss, parameters.trailing_stop, parameters.take_profit
    stops = [] if stop is None else [_floored_share(position, 1 - stop)]
    stops += [] if trail is None or not peak else [floor(peak * (1 - trail))]
    return ExitLevels(
        stop=max(stops, default=None),
        target=None if target is None else -_floored_share(position, -1 - target),
    )


def evaluate_exit(
    position: Position, price: int, parameters: ExitParameters, *, peak: int = 0
) -> Trigger | None:
    """Tell whether a traded `price` ends the position, and why; None for an empty position.

    `peak` is the highest price since the entry: only a trailing stop asks for it.

    Raises:
        BadInput: for a price of 0 or less, which means that there is none.
    """
    if not position.quantity:
        return None
    return exit_levels(position, parameters, peak=peak).reached(price)


def _floored_share(position: Position, factor: Decimal) -> int:
    """Return the average cost times `factor`, floored once, without an average rounded on the way."""
    numerator, denominator = factor.as_integer_ratio()
    return position.cost * numerator // (position.quantity * denominator)
