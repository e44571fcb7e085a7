"""This is what a strategy says: direction, strength and reason, never a quantity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trading.errors import BadInput
from trading.instruments import Symbol

WEIGHT_PLACES: Final = 4
"""Decimals of a target weight: a ten-thousandth of equity is the finest step."""


class Direction(StrEnum):
    """Hold a long position or leave it; maemae does not sell short."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"


def signal_id(
    *,
    strategy_id: str,
    symbol: Symbol,
    direction: Direction,
    trading_day: date,
    parameter_hash: str,
    trigger: str,
) -> str:
    """Derive the id from what the signal says, so that the same decision made twice is the same row.

    `trigger` names the cause (`cross`, `stop`, `target`): one signal a day for each cause.
    """
    parts = (strategy_id, symbol, direction.value, trading_day.isoformat(), parameter_hash, trigger)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Signal:
    """One decision of a strategy about one symbol.

    `trading_day` is the day on which it may be traded, `expires_at` the moment after which nothing may be
    placed from it. `reference_price` is the price in won that the decision looked at. `strength` lies in (0, 1].
    `indicators` keep the figures behind the reason, as text. `config_version` is the version of the settings that
    decided, 0 where none is numbered (replay). An entry with a `target_weight` wants to hold that part of equity,
    whatever is held already, so its order may be a sell; an exit's is 0. None leaves the size to the settings.
    """

    strategy_id: str
    symbol: Symbol
    direction: Direction
    strength: Decimal
    trigger: str
    reason: str
    parameter_hash: str
    reference_price: int
    trading_day: date
    created_at: datetime
    expires_at: datetime
    indicators: Mapping[str, str] = field(default_factory=dict)
    config_version: int = 0
    target_weight: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a strength outside (0, 1], a price that is none and a weight that its direction cannot have."""
        if not 0 < self.strength <= 1:
            raise BadInput("strength", self.strength, "a Decimal above 0 and at most 1")
        if self.reference_price <= 0:
            raise BadInput("reference_price", self.reference_price, "whole won above 0")
        if self.target_weight is not None and not self._fits(self.target_weight):
            expected = f"above 0 and at most 1 on entry, 0 on exit, {WEIGHT_PLACES} decimals"
            raise BadInput("target_weight", self.target_weight, expected)

    def _fits(self, weight: Decimal) -> bool:
        is_fine = round(weight, WEIGHT_PLACES) == weight
        return is_fine and (0 < weight <= 1 if self.direction is Direction.ENTRY else weight == 0)

    @property
    def signal_id(self) -> str:
        """The derived identity."""
        return signal_id(
            strategy_id=self.strategy_id,
            symbol=self.symbol,
            direction=self.direction,
            trading_day=self.trading_day,
            parameter_hash=self.parameter_hash,
            trigger=self.trigger,
        )

    def is_expired(self, at: datetime) -> bool:
        """Tell whether nothing may be placed from this signal any more."""
        return at >= self.expires_at
