"""This is what a backtest may be told to assume: the options of the command that become a convention's."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from backtest.options import (
    CHANNEL,
    BacktestOptions,
    CashSplit,
    MarketRules,
    SizingKind,
    convention,
)
from deployments.console.speech import option
from trading.errors import BadInput

type Switched = Decimal | Literal["none"]
"""A fraction, or the word that switches it off."""

NOT_GIVEN: Final = None
SWITCHED_OFF: Final = {("stop_loss", "none"), ("take_profit", "none"), ("tax", "dated")}


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Assumptions:
    """What differs from the convention; what is not given is as the convention says."""

    convention: Annotated[str, option("convention")] = ""
    market: Annotated[MarketRules | None, option("market")] = NOT_GIVEN
    cash: Annotated[int | None, option("cash")] = NOT_GIVEN
    cash_split: Annotated[CashSplit | None, option("cash_split")] = NOT_GIVEN
    quantity: Annotated[int | None, option("quantity")] = NOT_GIVEN
    weight: Annotated[Decimal | None, option("weight")] = NOT_GIVEN
    maximum_holdings: Annotated[int | None, option("maximum_holdings")] = NOT_GIVEN
    stop_loss: Annotated[Switched | None, option("stop_loss")] = NOT_GIVEN
    take_profit: Annotated[Switched | None, option("take_profit")] = NOT_GIVEN
    commission: Annotated[Decimal | None, option("commission")] = NOT_GIVEN
    tax: Annotated[Decimal | Literal["dated"] | None, option("tax")] = NOT_GIVEN
    slippage: Annotated[Decimal | None, option("slippage")] = NOT_GIVEN
    participation: Annotated[Decimal | None, option("participation")] = NOT_GIVEN
    price_scale: Annotated[int | None, option("price_scale")] = NOT_GIVEN

    def options(self, usual: str = CHANNEL) -> BacktestOptions | None:
        """Give the convention (the `usual` one if none is named) with these changes, None for the channel's.

        Raises:
            BadInput: for what cannot be meant, or a change of the channel's convention, which is in its file.
        """
        base = convention(self.convention or usual)
        if base is None:
            self._require_nothing_else()
            return None
        changes = self._changes()
        sizing = {"quantity": SizingKind.QUANTITY, "weight": SizingKind.WEIGHT}
        for name in sizing.keys() & changes.keys():
            changes["sizing"] = sizing[name]
        return replace(base, **changes)

    def _changes(self) -> dict[str, Any]:
        renamed = {"commission": "commission_rate", "tax": "tax_rate"}
        return {
            renamed.get(name, name): None if (name, value) in SWITCHED_OFF else value
            for name, value in self._given().items()
        }

    def _given(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {n: v for n, v in values.items() if n != "convention" and v is not NOT_GIVEN}

    def _require_nothing_else(self) -> None:
        for name, value in self._given().items():
            if name != "cash":
                expected = f"none with --convention {CHANNEL}, whose file says it"
                raise BadInput(f"--{name.replace('_', '-')}", str(value), expected)
