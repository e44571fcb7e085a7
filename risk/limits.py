"""This is how far an account may go: the figures of a channel's `risk` section."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class RiskLimits(BaseModel):
    """Limits on one account, all strategies together. Reaching a maximum is allowed, passing it is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    daily_loss: Decimal = Field(
        default=Decimal("0.02"),
        gt=0,
        le=Decimal("0.5"),
        description="fraction of the day's opening equity; a loss that reaches it refuses buys",
    )
    maximum_quantity_per_symbol: int = Field(
        default=10_000, ge=1, description="shares of one symbol, open buys included"
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
    maximum_price_age: int = Field(
        default=60, ge=1, le=3600, description="seconds since the price was read or streamed"
    )
