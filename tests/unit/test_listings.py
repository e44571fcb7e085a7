"""This is the proof that a backtest trades what was listed on each day, and sells what is delisted."""

from __future__ import annotations

from datetime import date

import pytest

from backtest.conventions import plan_of
from backtest.listings import delistings, listed_columns, require_no_delisting
from backtest.replay import run_replay
from tests.bar_columns import a_bar
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, seoul
from tests.conventions import CALENDAR, DAYS, FREE, columns_of, trend
from tests.unit.test_replay import CROSS_UP, a_plan, bars_of, fills, flat
from trading.errors import NotSupported
from trading.instruments import Instrument, Listing
from trading.orders import Side

AFTER = [
    (10_200, 10_250, 10_150, 10_200),
    (10_200, 10_300, 10_150, 10_250),
    flat(9_000),
    flat(9_000),
]
"""Bought at the opening of `DAYS[3]`, and one more day before `DAYS[5]`."""
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
