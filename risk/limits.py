"""This is how far an account may go: the figures of a channel's `risk` section."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from trading.errors import InvalidSetting

LARGER_IS_STRICTER: Final = frozenset(
    {"failure_cooldown_minutes", "stop_cooldown_sessions", "quick_move_minutes"}
)
"""Limits that hold back for longer when they grow; of all others the smaller figure is the stricter one."""
LONGEST_STOP_COOLDOWN: Final = 20
"""Sessions for which a stop may hold back buys at most."""


class RiskLimits(BaseModel):
    """Limits on one account, all strategies together. Reaching a maximum is allowed, passing it is not.

    A loss, a fall, a move and a streak refuse when they reach their limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    daily_loss: Decimal = Field(
        default=Decimal("0.02"),
        gt=0,
        le=Decimal("0.5"),
        description="fraction of the day's opening equity; a loss that reaches it refuses buys",
    )
    drawdown: Decimal = Field(
        default=Decimal("0.20"),
        gt=0,
        le=Decimal("0.9"),
        description="fraction of the highest equity ever; a fall that reaches it refuses buys",
    )
    losing_days: int = Field(
        default=7, ge=1, le=250, description="losing trading days in a row; then a day without buys"
    )
    losing_trades: int = Field(
        default=5,
        ge=1,
        le=100,
        description="closed trades in a row that lost; then no buys on that day",
    )
    maximum_order_value: int = Field(
        default=100_000_000,
        ge=10_000,
        le=1_000_000_000_000,
        description="won of one buy at its worst price",
    )
    maximum_daily_value: int = Field(
        default=500_000_000,
        ge=10_000,
        le=1_000_000_000_000,
        description="won of all buys of a day, open ones included",
    )
    maximum_quantity_per_symbol: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="shares of one symbol, open buys included",
    )
    maximum_weight: Decimal = Field(
        default=Decimal("0.20"),
        gt=0,
        le=1,
        description="fraction of equity in one symbol, open buys included",
    )
    maximum_holdings: int = Field(
        default=10, ge=1, le=500, description="symbols held at once, open buys included"
    )
    orders_per_minute: int = Field(
        default=30, ge=1, le=60_000, description="orders sent within 60 seconds, sells counted"
    )
    reject_streak: int = Field(
        default=5, ge=1, le=100, description="orders in a row that the broker refused; then no buys"
    )
    symbol_failures: int = Field(
        default=3, ge=1, le=100, description="refused orders in a row of one symbol, then it rests"
    )
    failure_cooldown_minutes: int = Field(
        default=30, ge=1, le=600, description="minutes that it rests"
    )
    stop_cooldown_sessions: int = Field(
        default=1,
        ge=0,
        le=LONGEST_STOP_COOLDOWN,
        description="sessions without a buy after a stop, its own included",
    )
    price_collar: Decimal = Field(
        default=Decimal("0.10"),
        gt=0,
        le=Decimal("0.30"),
        description="fraction that an order's price may be away from the last and the signal's price",
    )
    sudden_move: Decimal = Field(
        default=Decimal("0.20"),
        gt=0,
        le=Decimal("0.31"),
        description="fraction away from the day's base price; a move that reaches it refuses buys",
    )
    quick_move: Decimal = Field(
        default=Decimal("0.05"),
        gt=0,
        le=Decimal("0.31"),
        description="fraction between lowest and highest price of some minutes; reaching it refuses buys",
    )
    quick_move_minutes: int = Field(
        default=5, ge=1, le=30, description="how many minutes those are, and so how long it refuses"
    )
    maximum_price_age: int = Field(
        default=60, ge=1, le=3600, description="seconds since the price was read or streamed"
    )

    def tightened(self, changes: Mapping[str, Any]) -> Self:
        """Give these limits with a strategy's own, each of which may only be stricter.

        Raises:
            ValidationError: for an unknown limit, or a value out of its range.
            InvalidSetting: for a limit that would be looser.
        """
        strict = self.model_validate(self.model_dump() | dict(changes))
        for name in strict.looser_than(self):
            expected = f"at least as strict as the channel's risk.{name}={getattr(self, name)}"
            raise InvalidSetting(f"risk.{name}", getattr(strict, name), expected)
        return strict

    def looser_than(self, other: RiskLimits) -> tuple[str, ...]:
        """Name the limits that are looser than the other's."""
        return tuple(
            name
            for name in type(self).model_fields
            if (
                getattr(self, name) < getattr(other, name)
                if name in LARGER_IS_STRICTER
                else getattr(self, name) > getattr(other, name)
            )
        )
