"""This is the test of a backtest's options: what the conventions say, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backtest.options import (
    CHANNEL,
    CONVENTIONS,
    BacktestOptions,
    CashSplit,
    FillConvention,
    MarketRules,
    SizingKind,
    convention,
)
from trading.errors import BadInput


def test_krx_daily_says_what_it_is_documented_to_say() -> None:
    # stop floor(entry * 95 / 100), target ceil(entry * 110 / 100), commission 140527 / 10^9, tax 2 / 1000,
    # all of 10,000,000 won for each symbol
    options = convention("krx-daily")
    assert options == BacktestOptions(
        fill=FillConvention.NEXT_OPEN,
        stop_loss=Decimal("0.05"),
        take_profit=Decimal("0.10"),
        commission_rate=Decimal(140_527) / 10**9,
        tax_rate=Decimal(2) / 1000,
        slippage=Decimal(0),
        participation=None,
        cash=10_000_000,
        cash_split=CashSplit.EACH,
        sizing=SizingKind.ALL_CASH,
        market=MarketRules.NONE,
    )


@pytest.mark.parametrize("fill", FillConvention)
def test_each_moment_of_filling_is_a_convention_without_stops(fill: FillConvention) -> None:
    options = convention(fill)
    assert options is not None
    assert (options.fill, options.stop_loss, options.take_profit) == (fill, None, None)


def test_the_channel_has_no_options_of_its_own() -> None:
    assert convention(CHANNEL) is None


def test_an_unknown_convention_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="krx-daily") as told:
        convention("next-year")
    assert all(name in told.value.expected for name in CONVENTIONS)


WRONG: dict[str, dict[str, Any]] = {
    "cash": {"cash": 0},
    "price_scale": {"price_scale": 0, "market": MarketRules.NONE},
    "quantity": {"sizing": SizingKind.QUANTITY, "quantity": 0},
    "maximum_holdings": {"maximum_holdings": 0},
    "commission_rate": {"commission_rate": Decimal("0.05")},
    "tax_rate": {"tax_rate": Decimal("-0.001")},
    "slippage": {"slippage": Decimal("0.05")},
    "stop_loss": {"stop_loss": Decimal(1)},
    "take_profit": {"take_profit": Decimal(0)},
    "participation": {"participation": Decimal("1.1")},
    "weight": {"sizing": SizingKind.WEIGHT, "weight": Decimal("1.01")},
}


TOO_MUCH: dict[str, dict[str, Any]] = {
    "cash": {"cash": 10**15 + 1},
    "price_scale": {"price_scale": 10**16},
    "quantity": {"sizing": SizingKind.QUANTITY, "quantity": 10**19},
    "maximum_holdings": {"maximum_holdings": 10**19},
}


@pytest.mark.parametrize(("name", "changes"), TOO_MUCH.items(), ids=TOO_MUCH.keys())
def test_more_than_64_bits_can_count_is_refused(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="up to 1000000000000000") as told:
        BacktestOptions(market=MarketRules.NONE, **changes)
    assert told.value.field == name
    with pytest.raises(BadInput, match="up to 100000") as told:
        BacktestOptions(market=MarketRules.NONE, cash=10**10, price_scale=10**6)
    assert told.value.field == "price_scale"


@pytest.mark.parametrize(("name", "changes"), WRONG.items(), ids=WRONG.keys())
def test_a_wrong_option_is_named_with_its_value(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as told:
        BacktestOptions(**changes)
    assert (told.value.field, told.value.value) == (name, changes[name])


CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "weight without its sizing": ({"weight": Decimal("0.1")}, "weight"),
    "sizing without its weight": ({"sizing": SizingKind.WEIGHT}, "weight"),
    "quantity without its sizing": ({"quantity": 5}, "quantity"),
    "sizing without its quantity": ({"sizing": SizingKind.QUANTITY}, "quantity"),
    "places where there is one each": (
        {"maximum_holdings": 3, "cash_split": CashSplit.EACH},
        "maximum_holdings",
    ),
    "a grid of other prices": ({"price_scale": 100, "market": MarketRules.KRX}, "price_scale"),
}


@pytest.mark.parametrize(("changes", "field"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_options_that_contradict_each_other_are_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as told:
        BacktestOptions(**changes)
    assert told.value.field == field


def test_a_changed_convention_is_checked_again() -> None:
    options = convention("krx-daily")
    assert options is not None
    with pytest.raises(BadInput, match="cash"):
        replace(options, cash=-1)
