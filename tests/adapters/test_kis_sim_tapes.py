"""This is what a simulated day keeps to: its bar, ticks, limits and auctions, whoever looks and whenever."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendars import XkrxCalendar
from adapters.kis_sim.histories import DayBar, read_history
from adapters.kis_sim.hours import Hours, Timetable, midnight
from adapters.kis_sim.market import Market
from adapters.kis_sim.securities import Securities
from adapters.kis_sim.tapes import Tape, draw_tape
from tests.builders import A_DAY, seoul
from trading.krx import is_on_tick, tick_size

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"
HOURS = Hours(seoul(A_DAY, "09:00"), seoul(A_DAY, "15:20"), seoul(A_DAY, "15:30"))
EVENING = seoul(A_DAY, "20:00")


def grid(price: int) -> int:
    return tick_size(price, on=A_DAY)


def drawn(bar: DayBar, seed: int = 1) -> Tape:
    return draw_tape(bar, HOURS, grid, Random(seed), spacing=60)  # noqa: S311 - no secrets


def a_market(seed: int = 1) -> Market:
    history, timetable = read_history(), Timetable(XkrxCalendar(), is_always_open=False)
    return Market(history, Securities.of(history), timetable, seed, spacing=60)


@st.composite
def bars(draw: st.DrawFn) -> DayBar:
    """Bars with any corners, on the grid or off it as adjusted prices are."""
    low = draw(st.integers(1_000, 600_000))
    high = low + draw(st.integers(0, low // 4))
    corner = st.integers(low, high)
    return DayBar(A_DAY, draw(corner), high, low, draw(corner), draw(st.integers(4, 10**7)))


@given(bars(), st.integers(0, 2**32))
def test_a_drawn_day_comes_to_its_bar(bar: DayBar, seed: int) -> None:
    tape = drawn(bar, seed)
    day = tape.so_far(EVENING)
    assert day is not None
    assert (day.first.price, day.last.price) == (bar.open, bar.close)
    assert (day.highest.price, day.lowest.price) == (bar.high, bar.low)
    assert day.volume == bar.volume
    assert all(each.volume > 0 for each in tape.prints)


@given(bars(), st.integers(0, 2**32))
def test_prints_lie_on_the_grid_except_for_the_corners_of_the_bar(bar: DayBar, seed: int) -> None:
    corners = {bar.open, bar.high, bar.low, bar.close}
    for each in drawn(bar, seed).prints:
        assert bar.low <= each.price <= bar.high
        assert each.price in corners or is_on_tick(each.price, on=A_DAY)


@given(bars(), st.integers(0, 2**32))
def test_the_auctions_are_at_the_ends_and_time_never_goes_back(bar: DayBar, seed: int) -> None:
    prints = drawn(bar, seed).prints
    times = [each.at for each in prints]
    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (HOURS.opens_at, HOURS.closes_at)
    assert [each.is_auction for each in prints].count(True) == 2
    assert all(at < HOURS.closing_auction_at for at in times[1:-1])


@pytest.mark.parametrize(
    ("bar", "prices"),
    [
        (DayBar(A_DAY, 100, 100, 100, 100, 1), [100]),
        (DayBar(A_DAY, 100, 101, 100, 101, 2), [100, 101]),
        (DayBar(A_DAY, 100, 102, 99, 101, 3), [100, 99, 102, 101]),
        (DayBar(A_DAY, 0, 0, 0, 100, 0), []),
        (DayBar(A_DAY, 100, 100, 100, 100, 0), []),
        (DayBar(A_DAY, 0, 0, 0, 100, 5_000), []),
    ],
)
def test_thin_and_halted_days_show_their_prices_and_no_more(bar: DayBar, prices: list[int]) -> None:
    assert [each.price for each in drawn(bar).prints] == prices


def test_every_bundled_day_of_a_month_is_played_as_it_was() -> None:
    market = a_market()
    for symbol in market.securities.symbols():
        for bar in market.history.days[symbol]:
            if date(2018, 1, 8) <= bar.day <= date(2018, 2, 14):
                evening = midnight(bar.day) + timedelta(hours=20)
                shown = market.daily_bars(symbol, evening)[-1]
                assert shown == bar


def test_the_path_does_not_depend_on_who_looked_before() -> None:
    one, other = a_market(), a_market()
    for hour in range(9, 16):
        one.snapshot(LG_CHEM, seoul(A_DAY, f"{hour:02d}:30"))
        one.book(SAMSUNG, seoul(A_DAY, f"{hour:02d}:30"))
    at = seoul(A_DAY, "14:00")
    assert one.snapshot(LG_CHEM, at) == other.snapshot(LG_CHEM, at)
    assert one.book(LG_CHEM, at) == other.book(LG_CHEM, at)


def test_another_seed_draws_another_day_from_the_same_bar() -> None:
    at = seoul(A_DAY, "12:00")
    assert a_market(seed=1).snapshot(LG_CHEM, at) != a_market(seed=2).snapshot(LG_CHEM, at)


def test_the_path_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from datetime import date, datetime\n"
        "from adapters.calendars import XkrxCalendar\n"
        "from adapters.kis_sim.histories import read_history\n"
        "from adapters.kis_sim.hours import Timetable\n"
        "from adapters.kis_sim.market import Market\n"
        "from adapters.kis_sim.securities import Securities\n"
        "timetable = Timetable(XkrxCalendar(), is_always_open=False)\n"
        "market = Market(read_history(), Securities.of(read_history()), timetable, 1)\n"
        "at = datetime.fromisoformat('2018-01-16T12:00+09:00')\n"
        "print(market.snapshot('051910', at), market.book('051910', at))\n"
    )
    shown = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        command = [sys.executable, "-c", program]
        root = Path(__file__).parents[2]
        shown.add(subprocess.check_output(command, env=environment, cwd=root))  # noqa: S603 - ours
    assert len(shown) == 1


def test_the_base_is_the_last_close_and_the_limits_are_around_it() -> None:
    snapshot = a_market().snapshot(LG_CHEM, seoul(A_DAY, "08:00"))
    assert snapshot is not None
    assert snapshot.base == snapshot.last == 437_000
    # Width 30 % of 437,000 = 131,100 on a grid of 500 = 131,000; above 500,000 the grid is 1,000.
    assert (snapshot.limits.lower, snapshot.limits.upper) == (306_000, 568_000)


@pytest.mark.parametrize(("day", "board"), [(8, "KOSDAQ"), (9, "KOSPI")])
def test_celltrion_changes_its_board(day: int, board: str) -> None:
    instrument = a_market().instrument(CELLTRION, seoul(date(2018, 2, day), "10:00"))
    assert instrument is not None
    assert instrument.market == board


@given(st.integers(0, 6 * 3600), st.sampled_from([SAMSUNG, LG_CHEM, CELLTRION]))
def test_books_have_ten_sound_levels_a_side(second: int, symbol: str) -> None:
    market = SHARED_MARKET
    at = seoul(A_DAY, "09:00") + timedelta(seconds=second)
    snapshot, book = market.snapshot(symbol, at), market.book(symbol, at)
    assert snapshot is not None
    asks, bids = [level.price for level in book.asks], [level.price for level in book.bids]
    assert len(asks) == len(bids) == 10
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[0] <= snapshot.last <= asks[0]
    assert bids[0] < asks[0]
    assert all(is_on_tick(p, on=A_DAY, market=snapshot.instrument.market) for p in asks + bids)
    assert all(level.quantity > 0 for level in (*book.asks, *book.bids))


SHARED_MARKET = a_market()
