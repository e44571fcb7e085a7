"""This is the proof that a backtest trades what was listed on each day, and sells what is delisted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from backtest.conventions import plan_of, run_convention
from backtest.engine import run_engine
from backtest.listings import delistings, listed_columns, require_no_delisting
from backtest.options import BacktestOptions, MarketRules
from backtest.outcomes import outcome_of
from backtest.replay import run_replay
from tests.bar_columns import a_bar
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, seoul
from tests.conventions import CALENDAR, DAYS, FREE, RISE, TEN, columns_of, trend
from tests.unit.test_replay import CROSS_UP, a_plan, bars_of, fills, flat
from trading.errors import NotSupported
from trading.instruments import Instrument, Listing
from trading.orders import OrderStatus, Side

AFTER = [
    (10_200, 10_250, 10_150, 10_200),
    (10_200, 10_300, 10_150, 10_250),
    flat(9_000),
    flat(9_000),
]
"""Bought at the opening of `DAYS[3]`, and one more day before `DAYS[5]`."""
STANDING = (10_100, 10_100, 10_100, 10_100, 1_000_000)
UNTIL_DAY_5 = {LG_CHEM: Listing(delisted_on=DAYS[5])}


def test_the_channel_sells_what_is_delisted_at_its_last_close() -> None:
    bars = {LG_CHEM: bars_of([*CROSS_UP, *AFTER])}
    result = run_replay(bars, a_plan(last=DAYS[6], listings=UNTIL_DAY_5), CALENDAR)
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 10_250)]
    assert result.executions[-1].executed_at == seoul(DAYS[4], "15:20")
    assert [signal.trigger for signal in result.signals] == ["cross", "delisted"]
    assert result.ledger.held_symbols == ()
    assert len({point.closing for point in result.equity[2:]}) == 1  # cash alone, to the end


def test_without_a_listing_it_would_have_fallen_further() -> None:
    bars = {LG_CHEM: bars_of([*CROSS_UP, *AFTER])}
    assert fills(run_replay(bars, a_plan(last=DAYS[6]), CALENDAR))[-1] != (Side.SELL, 485, 10_250)


def test_halted_until_its_end_it_goes_at_the_last_price_that_traded() -> None:
    halted = a_bar(DAYS[4], 10_200, open=0, high=0, low=0, volume=0)
    bars = {LG_CHEM: [*bars_of([*CROSS_UP, AFTER[0]]), halted]}
    result = run_replay(bars, a_plan(last=DAYS[6], listings=UNTIL_DAY_5), CALENDAR)
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 10_200)]
    assert result.executions[-1].executed_at == seoul(DAYS[3], "15:20")


def test_an_order_that_nobody_takes_leaves_nothing_behind_the_end() -> None:
    # Left at the opening of DAYS[4], all of which stands at 7,000, below the limit of 30 %: what is open goes with it.
    sinking = [*CROSS_UP, AFTER[0], (10_000, 10_100, 9_990, 10_000), flat(7_000)]
    result = run_replay(
        {LG_CHEM: bars_of(sinking)},
        a_plan(last=DAYS[6], listings={LG_CHEM: Listing(delisted_on=DAYS[6])}),
        CALENDAR,
    )
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 7_000)]
    assert [order.status for order in result.orders] == [
        OrderStatus.FILLED,
        OrderStatus.EXPIRED,
        OrderStatus.FILLED,
    ]
    assert result.ledger.held_symbols == ()


SMALL_OR_LOCKED = {
    "a volume of 30": replace(TEN, participation=Decimal("0.1")),
    "beyond the limit": replace(TEN, market=MarketRules.KRX),
}


@pytest.mark.parametrize("options", SMALL_OR_LOCKED.values(), ids=SMALL_OR_LOCKED.keys())
def test_all_of_it_goes_at_the_last_close_whatever_traded(options: BacktestOptions) -> None:
    bars = columns_of([*RISE, STANDING, (5_000, 5_100, 4_400, 4_500, 30)])
    plan = plan_of(options, trend(LG_CHEM), first=DAYS[0], last=DAYS[6], listings=UNTIL_DAY_5)
    result = run_convention({LG_CHEM: bars}, plan, CALENDAR)
    assert fills(result) == [(Side.BUY, 10, 10_100), (Side.SELL, 10, 4_500)]
    assert result.ledger.held_symbols == ()


@pytest.mark.parametrize("flag", ["is_halted", "is_administrative", "is_liquidation"])
def test_what_the_exchange_says_of_a_symbol_today_is_not_held_against_its_past(flag: str) -> None:
    today: dict[str, Any] = {flag: True}
    known = {LG_CHEM: Instrument(LG_CHEM, "LG화학", **today)}
    plan = plan_of(
        replace(TEN, market=MarketRules.KRX),
        trend(LG_CHEM),
        first=DAYS[0],
        last=DAYS[6],
        instruments=known,
    )
    by_rules = run_convention({LG_CHEM: columns_of([*RISE, STANDING])}, plan, CALENDAR)
    assert fills(by_rules) == [(Side.BUY, 10, 10_100)]
    bars = {LG_CHEM: bars_of([*CROSS_UP, flat(10_200)])}
    assert fills(run_replay(bars, a_plan(instruments=known), CALENDAR)) == [(Side.BUY, 485, 10_200)]


def test_an_end_after_the_days_asked_for_is_not_known_on_them() -> None:
    # Nothing of it trades after DAYS[3]; it is delisted much later.
    universe = {LG_CHEM: columns_of([*RISE, STANDING]), SAMSUNG: columns_of([STANDING] * 9)}
    later = {LG_CHEM: Listing(delisted_on=DAYS[20])}
    plan = plan_of(TEN, trend(*universe), first=DAYS[0], last=DAYS[8], listings=later)
    exact = outcome_of(run_convention(universe, plan, CALENDAR))
    fast = run_engine(universe, trend(LG_CHEM).strategy, TEN, first=DAYS[0], last=DAYS[8])
    assert exact == fast.outcome()
    assert [fill.side for fill in exact.fills] == [Side.BUY]


@pytest.mark.parametrize("listing", [Listing(delisted_on=DAYS[3]), Listing(listed_on=DAYS[1])])
def test_the_channel_buys_nothing_outside_the_listing(listing: Listing) -> None:
    bars = {LG_CHEM: bars_of([*CROSS_UP, flat(10_200)])}
    result = run_replay(
        bars, a_plan(first=DAYS[0], last=DAYS[4], listings={LG_CHEM: listing}), CALENDAR
    )
    assert (result.signals, result.orders) == ((), ())


def test_bars_outside_a_listing_are_no_bars() -> None:
    universe = {s: columns_of([flat(10_000)] * 5) for s in (LG_CHEM, HYUNDAI, SAMSUNG)}
    listings = {
        LG_CHEM: Listing(listed_on=DAYS[1], delisted_on=DAYS[3]),
        HYUNDAI: Listing(delisted_on=DAYS[0]),
    }
    cut = listed_columns(universe, listings)
    assert list(cut) == [LG_CHEM, SAMSUNG]
    assert [date.fromordinal(int(day)) for day in cut[LG_CHEM].days] == [DAYS[1], DAYS[2]]
    assert len(cut[SAMSUNG]) == 5


def test_the_fast_engine_refuses_by_name_what_it_would_have_to_close_out() -> None:
    until, beyond = (
        plan_of(FREE, trend(LG_CHEM), first=DAYS[0], last=last, listings=UNTIL_DAY_5)
        for last in DAYS[4:6]
    )
    require_no_delisting(until)
    with pytest.raises(NotSupported, match=f"listings.*{LG_CHEM}.*{DAYS[5]}"):
        require_no_delisting(beyond)


def test_the_database_tells_when_symbols_end_and_their_bars_when_they_came() -> None:
    instruments = {
        LG_CHEM: Instrument(LG_CHEM, "LG화학", listed_on=DAYS[0], delisted_on=DAYS[5]),
        SAMSUNG: Instrument(SAMSUNG, "삼성전자", listed_on=DAYS[0]),
    }
    assert delistings(instruments) == UNTIL_DAY_5
