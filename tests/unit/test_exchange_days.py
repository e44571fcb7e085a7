"""This is the test of what the exchange and its listings allow in replays by convention, on bars worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from backtest.conventions import plan_of, run_convention
from backtest.options import MarketRules
from backtest.outcomes import outcome_of
from backtest.replay import run_replay
from tests.bar_columns import a_bar
from tests.builders import LG_CHEM
from tests.conventions import (
    BOUGHT,
    CALENDAR,
    DAYS,
    FALL,
    RISE,
    STOPPED,
    TEN,
    Row,
    columns_of,
    flat,
    run,
    told,
    trades,
    trend,
)
from trading.instruments import Listing, Symbol
from trading.orders import OrderStatus

KRX = replace(STOPPED, market=MarketRules.KRX)


def test_levels_and_slippage_land_on_the_grid_of_the_exchange() -> None:
    # Bought at 10,100: the stop of 9,595 fills at 9,590, the target of 11,110 at 11,150.
    bought = flat(10_100)
    assert trades(KRX, bought, (9_900, 10_200, 9_400, 10_150))[1:] == [(1, "sell", 10, 9_590)]
    assert trades(KRX, bought, (10_900, 11_300, 10_900, 11_200))[1:] == [(1, "sell", 10, 11_150)]
    slipping = replace(TEN, market=MarketRules.KRX, slippage=Decimal("0.001"))
    # 10,100 x 1.001 = 10,110.1 -> 10,150; 9,900 x 0.999 = 9,890.1 -> 9,890
    assert trades(slipping, bought, FALL, flat(9_900)) == [
        (0, "buy", 10, 10_150),
        (2, "sell", 10, 9_890),
    ]


def test_slippage_is_no_gain_on_a_day_beyond_its_limits() -> None:
    # A base price that moved: the opening is above 13,100, the limit that the last close gives, or below 7,110.
    slipping = replace(TEN, market=MarketRules.KRX, slippage=Decimal("0.001"))
    moved = (14_000, 14_100, 13_000, 14_000)
    assert trades(slipping, moved) == [(0, "buy", 10, 14_000)]
    fallen = (5_000, 7_500, 4_900, 7_500)
    assert trades(slipping, BOUGHT, FALL, fallen)[1:] == [(2, "sell", 10, 5_000)]


def test_nothing_is_bought_on_a_day_locked_at_its_upper_limit() -> None:
    # 10,100 + 30 % on the grid: 13,100.
    assert trades(KRX, flat(13_100)) == []
    assert trades(KRX, (13_100, 13_100, 13_050, 13_100)) == [(0, "buy", 10, 13_100)]
    assert trades(STOPPED, flat(13_100)) == [(0, "buy", 10, 13_100)]


def test_nothing_is_sold_on_a_day_locked_at_its_lower_limit() -> None:
    # 10,150 - 30 % on the grid: 7,110; the next day's opening is beyond the stop.
    assert trades(KRX, BOUGHT, flat(7_110), (7_000, 7_200, 6_900, 7_150))[1:] == [
        (2, "sell", 10, 7_000)
    ]


def test_a_decision_for_a_halted_day_dies_by_the_exchange_and_waits_without_it() -> None:
    assert trades(KRX, None, flat(10_200)) == []
    assert trades(STOPPED, None, flat(10_200)) == [(1, "buy", 10, 10_200)]
    (order,) = run({LG_CHEM: [*RISE, None, flat(10_200)]}, KRX).orders
    assert (order.status, "STANDING" in order.error_message) == (OrderStatus.DENIED, True)


HALTED = {
    "no row": [],
    "a row of zeros": [a_bar(DAYS[3], 10_100, open=0, high=0, low=0, volume=0)],
    "zeros with a block trade": [a_bar(DAYS[3], 10_100, open=0, high=0, low=0, volume=500)],
    "flat without volume": [a_bar(DAYS[3], 10_100, volume=0)],
}


@pytest.mark.parametrize("market", MarketRules)
def test_a_halted_day_is_the_same_in_every_encoding(market: MarketRules) -> None:
    closes = [10_000, 10_000, 10_100, None, 10_200, 10_050, 10_000]
    rows = [a_bar(d, c) for d, c in zip(DAYS, closes, strict=False) if c is not None]
    plan = plan_of(replace(KRX, market=market), trend(LG_CHEM), first=DAYS[0], last=DAYS[-1])
    outcomes = {
        outcome_of(
            run_replay(
                {LG_CHEM: sorted([*rows, *halt], key=lambda b: b.trading_day)}, plan, CALENDAR
            )
        )
        for halt in HALTED.values()
    }
    assert len(outcomes) == 1


DELISTED = {LG_CHEM: Listing(delisted_on=DAYS[5])}
"""The bar of day 1 is the last one: day 0 is `DAYS[3]`."""


def listed(listings: Mapping[Symbol, Listing], *after: Row | None) -> list[object]:
    """Give the fills of a rise and the bars after it, with listings."""
    plan = plan_of(TEN, trend(LG_CHEM), first=DAYS[0], last=DAYS[-1], listings=listings)
    result = run_convention({LG_CHEM: columns_of([*RISE, *after])}, plan, CALENDAR)
    triggers = [signal.trigger for signal in result.signals]
    return [*map(told, outcome_of(result).fills), *triggers]


def test_what_is_delisted_is_sold_at_its_last_close() -> None:
    bars = flat(10_100), (10_200, 10_300, 10_150, 10_250)
    assert listed(DELISTED, *bars) == [
        (0, "buy", 10, 10_100), (1, "sell", 10, 10_250), "cross", "delisted"
    ]  # fmt: skip
    # bars that the file has beyond the end are no bars
    assert listed(DELISTED, *bars, flat(9_000))[:2] == listed(DELISTED, *bars)[:2]
    assert listed({}, *bars) == [(0, "buy", 10, 10_100), "cross"]


@pytest.mark.parametrize(
    "listing", [Listing(listed_on=DAYS[4]), Listing(delisted_on=DAYS[3])], ids=["before", "after"]
)
def test_nothing_is_bought_while_it_is_not_listed(listing: Listing) -> None:
    assert listed({LG_CHEM: listing}, flat(10_100), flat(10_100)) == []
    assert listed({LG_CHEM: Listing(listed_on=DAYS[3])}, flat(10_100))[0] == (0, "buy", 10, 10_100)
