"""This is the test of limits that fill after the opening: when their money is there, and what comes before them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from risk.sizing import SizingSettings
from tests.builders import HYUNDAI, LG_CHEM, seoul
from tests.unit.test_replay import (
    CALENDAR,
    CROSS_UP,
    DAYS,
    Ohlc,
    a_plan,
    bars_of,
    fills,
    flat,
    trend,
)
from trading.orders import OrderStatus, OrderType, Side


def replay(last: Ohlc, hyundai: list[Ohlc]) -> ReplayResult:
    """Buy LG Chem at 10,100 on the 4th day and decide on the 5th, at 10,050, to leave it; `last` is the 6th."""
    sold = [*CROSS_UP, flat(10_100), flat(10_050), last]
    bars = {LG_CHEM: bars_of(sold), HYUNDAI: bars_of(hyundai, HYUNDAI)}
    return run_replay(bars, limited(), CALENDAR)


def limited() -> ReplayPlan:
    """Give a plan that buys for nearly all of the cash, and leaves at the last close or above only."""
    sizing = SizingSettings(
        target_weight=Decimal("0.98"), limit_offset=Decimal(0), exit_type=OrderType.LIMIT
    )
    return a_plan(trend(symbols=[LG_CHEM, HYUNDAI]), sizing=sizing, last=DAYS[5])


def test_money_of_a_limit_that_fills_later_buys_nothing_at_the_opening() -> None:
    # LG Chem (9,800,000 at 10,100 are 970) is to be sold at 10,050, opens below and rises to it.
    hyundai = [flat(100_000)] * 4 + [flat(101_000)] * 2
    result = replay((9_800, 10_100, 9_800, 10_000), hyundai)
    assert fills(result) == [
        (Side.BUY, 970, 10_100),
        (Side.BUY, 2, 101_000),  # for the 203,000 won that were left
        (Side.SELL, 970, 10_050),
    ]
    assert result.executions[2].executed_at == seoul(DAYS[5], "15:19")


@pytest.mark.parametrize(
    ("bar", "price"),
    [((9_500, 10_100, 9_450, 10_000), 9_500), ((9_800, 10_100, 9_500, 10_000), 9_590)],
    ids=["at the opening", "later"],
)
def test_a_stop_comes_before_a_limit_that_waits(bar: Ohlc, price: int) -> None:
    # Bought at 10,100, to be sold at 10,050 or by the stop of 9,595.
    result = replay(bar, [flat(100_000)] * 6)
    assert fills(result)[1:] == [(Side.SELL, 970, price)]
    assert [order.status for order in result.orders][1:] == [
        OrderStatus.EXPIRED,
        OrderStatus.FILLED,
    ]
