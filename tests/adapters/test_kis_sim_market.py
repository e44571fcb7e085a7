"""This is what the simulated market keeps to: the day's bar, ticks, limits, auctions, and never the future."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendars import XkrxCalendar
from adapters.kis_sim.histories import DayBar, History, read_history
from adapters.kis_sim.hours import Hours, Timetable, midnight
from adapters.kis_sim.market import Market
from adapters.kis_sim.options import Pacing
from adapters.kis_sim.securities import Securities, isin
from adapters.kis_sim.tapes import Tape, draw_tape
from tests.builders import A_DAY, seoul
from tests.sim_clients import BALANCE, Desk, a_desk, daily_file, minute_file
from trading.errors import BadInput
from trading.krx import is_on_tick, tick_size

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"
HOURS = Hours(seoul(A_DAY, "09:00"), seoul(A_DAY, "15:20"), seoul(A_DAY, "15:30"))
EVENING = seoul(A_DAY, "20:00")


def grid(price: int) -> int:
    return tick_size(price, on=A_DAY)


def drawn(bar: DayBar, seed: int = 1) -> Tape:
    return draw_tape(bar, HOURS, grid, Random(seed))  # noqa: S311 - drawn prices, no secrets


def a_market(history: History | None = None, seed: int = 1) -> Market:
    history = history or read_history()
    timetable = Timetable(XkrxCalendar(), is_always_open=False)
    return Market(history, Securities.of(history), timetable, seed)


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


# --- nothing of the future -----------------------------------------------------------------------------

READS: list[tuple[str, str, dict[str, str]]] = [
    ("FHKST01010100", "inquire-price", {}),
    ("FHPST01010000", "inquire-price-2", {}),
    ("FHKST01010200", "inquire-asking-price-exp-ccn", {}),
    ("FHKST01010300", "inquire-ccnl", {}),
    ("FHKST01010400", "inquire-daily-price", {"FID_PERIOD_DIV_CODE": "D"}),
    ("FHKST01010400", "inquire-daily-price", {"FID_PERIOD_DIV_CODE": "M"}),
    (
        "FHKST03010100",
        "inquire-daily-itemchartprice",
        {
            "FID_INPUT_DATE_1": "20180101",
            "FID_INPUT_DATE_2": "20191230",
            "FID_PERIOD_DIV_CODE": "D",
        },
    ),
    (
        "FHKST03010100",
        "inquire-daily-itemchartprice",
        {
            "FID_INPUT_DATE_1": "20170101",
            "FID_INPUT_DATE_2": "20191230",
            "FID_PERIOD_DIV_CODE": "W",
        },
    ),
    ("FHKST03010200", "inquire-time-itemchartprice", {"FID_INPUT_HOUR_1": "153000"}),
    (
        "FHKST03010230",
        "inquire-time-dailychartprice",
        {"FID_INPUT_DATE_1": "20180116", "FID_INPUT_HOUR_1": "153000"},
    ),
    (
        "FHKST03010230",
        "inquire-time-dailychartprice",
        {"FID_INPUT_DATE_1": "20180117", "FID_INPUT_HOUR_1": "153000"},
    ),
    ("FHPST01060000", "inquire-time-itemconclusion", {"FID_INPUT_HOUR_1": "153000"}),
    (
        "FHKST11300006",
        "intstock-multprice",
        {"FID_COND_MRKT_DIV_CODE_1": "J", "FID_INPUT_ISCD_1": LG_CHEM},
    ),
    ("FHPST01710000", "volume-rank", {}),
    ("CTPF1002R", "search-stock-info", {"PDNO": LG_CHEM}),
]


def doubled(bar: DayBar) -> DayBar:
    return DayBar(bar.day, bar.open * 2, bar.high * 2, bar.low * 2, bar.close * 2, bar.volume * 7)


def with_another_future(history: History, after: date) -> History:
    """Return a history that is the same up to a day and quite different from the next day on."""
    days = {
        symbol: tuple(doubled(bar) if bar.day > after else bar for bar in bars)
        for symbol, bars in history.days.items()
    }
    return replace(history, days=days)


async def everything_seen(desk: Desk) -> list[Any]:
    seen = []
    for tr, call, parameters in READS:
        body = await desk.quotation(tr, call, **{"FID_INPUT_ISCD": LG_CHEM} | parameters)
        assert body["rt_cd"] == "0", call
        seen.append(body)
    seen.append((await desk.account(BALANCE, "inquire-balance"))["output1"])
    return seen


async def test_no_call_shows_anything_of_a_later_day() -> None:
    async with a_desk() as desk, a_desk() as other:
        market = other.simulator.simulation.market
        market.history = with_another_future(market.history, A_DAY)
        for each in (desk, other):
            await each.to("11:30")
            await each.order("TTTC0012U", LG_CHEM, 1)
        assert await everything_seen(desk) == await everything_seen(other)


async def test_no_call_shows_more_of_today_than_has_been_traded() -> None:
    # LG Chem opened at 438,000 and fell to its low of the day only later.
    async with a_desk() as desk:
        await desk.to("09:30")
        seen = await everything_seen(desk)
        tape = desk.simulator.simulation.market.prints_so_far(LG_CHEM, EVENING)
        now = seoul(A_DAY, "09:30")
        known = {each.price for each in tape if each.at <= now}
        coming = {each.price for each in tape if each.at > now} - known
        lowest = min(coming)
    quote, chart, minutes = seen[0]["output"], seen[6]["output2"], seen[8]["output2"]
    assert int(quote["stck_lwpr"]) == min(known) > lowest
    assert int(quote["acml_vol"]) == sum(each.volume for each in tape if each.at <= now)
    assert chart[0]["stck_bsop_date"] == "20180116"
    assert int(chart[0]["stck_lwpr"]) == min(known)
    flat = [row for row in minutes if row["stck_cntg_hour"] > "093000"]
    assert {row["cntg_vol"] for row in flat} == {"0"}
    assert {row["stck_prpr"] for row in flat} == {quote["stck_prpr"]}


async def test_before_the_open_today_has_no_bar_and_no_expected_price_but_the_base() -> None:
    async with a_desk() as desk:
        await desk.to("08:59")
        seen = await everything_seen(desk)
    assert seen[0]["output"]["stck_oprc"] == "0"
    assert seen[2]["output2"]["antc_cnpr"] == "437000"
    assert seen[6]["output2"][0]["stck_bsop_date"] == "20180115"


async def test_the_closing_auction_does_not_betray_the_close(tmp_path: Path) -> None:
    rows = [
        (LG_CHEM, "2018-01-15 09:00", 437_000, 437_000, 437_000, 437_000, 1_000),
        (LG_CHEM, "2018-01-16 09:00", 438_000, 438_000, 438_000, 438_000, 1_000),
        (LG_CHEM, "2018-01-16 15:30", 499_000, 499_000, 499_000, 499_000, 1_000),
    ]
    async with a_desk(data=minute_file(tmp_path, rows)) as desk:
        await desk.to("15:29:59")
        before = await everything_seen(desk)
        await desk.to("15:30")
        after = await everything_seen(desk)
    assert before[2]["output2"]["antc_cnpr"] == "438000"
    assert "499000" not in str(before)
    assert "499000" in str(after)


# --- other data ----------------------------------------------------------------------------------------


async def test_real_minutes_are_played_as_they_were(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-15 09:00", 50_000, 50_000, 50_000, 50_000, 1_000),
        (SAMSUNG, "2018-01-16 09:00", 50_100, 50_300, 50_000, 50_200, 400),
        (SAMSUNG, "2018-01-16 09:01", 50_200, 50_200, 49_900, 49_950, 100),
        (SAMSUNG, "2018-01-16 15:30", 50_500, 50_500, 50_500, 50_500, 900),
    ]
    async with a_desk(data=minute_file(tmp_path, rows)) as desk:
        await desk.to("16:00")
        body = await desk.quotation(
            "FHKST03010200",
            "inquire-time-itemchartprice",
            FID_INPUT_ISCD=SAMSUNG,
            FID_INPUT_HOUR_1="153000",
        )
        quote = await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=SAMSUNG)
    names = ["stck_cntg_hour", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol"]
    assert [[row[name] for name in names] for row in body["output2"]] == [
        ["153000", "50500", "50500", "50500", "50500", "900"],
        ["090100", "50200", "50200", "49900", "49950", "100"],
        ["090000", "50100", "50300", "50000", "50200", "400"],
    ]
    assert (quote["output"]["stck_oprc"], quote["output"]["stck_prpr"]) == ("50100", "50500")
    assert quote["output"]["acml_vol"] == "1400"


def test_minutes_labelled_with_their_end_are_moved_to_their_start(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-16 09:01", 100, 100, 100, 100, 1),
        (SAMSUNG, "2018-01-16 15:20", 100, 100, 100, 100, 1),
        (SAMSUNG, "2018-01-16 15:30", 100, 100, 100, 100, 1),
    ]
    history = read_history(minute_file(tmp_path, rows))
    labels = [f"{bar.at:%H:%M}" for bar in history.minutes[SAMSUNG, A_DAY]]
    assert labels == ["09:00", "15:19", "15:30"]


async def test_corners_off_the_grid_are_kept_as_they_are_given(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-15", 50_013, 50_113, 49_913, 50_033, 10_000),
        (SAMSUNG, "2018-01-16", 50_013, 50_413, 49_813, 50_133, 10_000),
    ]
    async with a_desk(data=daily_file(tmp_path, rows)) as desk:
        await desk.to("16:00")
        output = (await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=SAMSUNG))[
            "output"
        ]
    corners = [output[name] for name in ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr")]
    assert corners == ["50013", "50413", "49813", "50133"]
    assert output["stck_sdpr"] == "50033"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("symbol,date,open,high,low,close\n", "column 'volume' is missing"),
        ("date,open,high,low,close,volume\n", "column 'symbol' is missing"),
        ("symbol,open,high,low,close,volume\n", "column 'date' is missing"),
        ("", "column 'symbol' is missing"),
        ("symbol,date,open,high,low,close,volume\n", "at least one bar"),
        ("symbol,date,open,high,low,close,volume\n005930,16.1.2018,1,1,1,1,1\n", "line 2"),
        ("symbol,date,open,high,low,close,volume\n005930,2018-01-16,1,x,1,1,1\n", "column high"),
        ("symbol,date,open,high,low,close,volume\n005930,2018-01-16,1,-1,1,1,1\n", "column high"),
        ("symbol,date,open,high,low,close,volume\n5930,2018-01-16,1,1,1,1,1\n", "5930"),
    ],
)
def test_a_wrong_file_is_named_with_what_would_be_right(
    text: str, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=named):
        read_history(path)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match=r"nowhere\.csv"):
        read_history(Path("nowhere.csv"))


@pytest.mark.parametrize(
    ("symbol", "code"),
    [("005930", "KR7005930003"), ("051910", "KR7051910008"), ("068270", "KR7068270008")],
)
def test_standard_codes_have_the_right_check_digit(symbol: str, code: str) -> None:
    assert isin(symbol) == code


# --- time ----------------------------------------------------------------------------------------------


async def test_a_standing_clock_moves_only_when_told() -> None:
    async with a_desk() as desk:
        first = (await desk.http.get("/sim/clock")).json()
        second = (await desk.http.get("/sim/clock")).json()
        moved = await desk.http.post("/sim/clock", json={"advance_to": "2018-01-16T09:00:00+09:00"})
    assert first == second
    assert first == {
        "now": "2018-01-16T06:00:00+09:00",
        "mode": "step",
        "factor": 0,
        "trading_day": "2018-01-16",
    }
    assert moved.json()["now"] == "2018-01-16T09:00:00+09:00"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"to": "2018-01-16T09:00:00+09:00"},
        {"advance_to": "2018-01-16T09:00:00"},
        {"advance_to": "2018-01-15T09:00:00+09:00"},
        {"advance_to": 9},
        {"factor": -1},
        {"factor": "fast"},
        {"factor": True},
        {"factor": 2, "until": "soon"},
    ],
)
async def test_a_wrong_time_is_refused_in_one_sentence(document: dict[str, Any]) -> None:
    async with a_desk() as desk:
        reply = await desk.http.post("/sim/clock", json=document)
        assert reply.status_code == 422
        assert reply.json()["error"]
        assert (await desk.http.get("/sim/clock")).json()["now"] == "2018-01-16T06:00:00+09:00"


async def wait_for(check: Callable[[], bool]) -> None:
    """Wait until something is true, a few seconds at most."""
    for _ in range(100):
        if check():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_time_runs_at_a_factor_until_a_moment_and_then_stands() -> None:
    async with a_desk() as desk:
        await desk.to("09:00")
        run = {"factor": 3600, "until": "2018-01-16T09:30:00+09:00"}
        started = (await desk.http.post("/sim/clock", json=run)).json()
        simulation = desk.simulator.simulation
        await wait_for(lambda: simulation.now() >= seoul(A_DAY, "09:30"))
        stopped = (await desk.http.get("/sim/clock")).json()
    assert (started["mode"], started["factor"]) == ("run", 3600)
    assert (stopped["mode"], stopped["factor"]) == ("step", 0)
    assert stopped["now"] == "2018-01-16T09:30:00+09:00"


async def test_orders_fill_while_time_runs_by_itself() -> None:
    async with a_desk(pacing=None, factor=3600) as desk:
        simulation = desk.simulator.simulation
        await wait_for(lambda: simulation.now() > seoul(A_DAY, "09:00:10"))
        await desk.order("TTTC0012U", LG_CHEM, 1, 430_000)
        await wait_for(lambda: bool(desk.simulator.book()["accounts"][0]["fills"]))


async def test_stepping_over_nights_plays_every_day_in_between() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order("TTTC0012U", LG_CHEM, 1, 430_000)
        await desk.to("09:10", date(2018, 1, 22))
        (account,) = desk.simulator.book()["accounts"]
    (fill,) = account["fills"]
    assert fill["at"].startswith("2018-01-16T")
    assert account["settlements"] == []


class WallClock:
    """A computer's clock on a Sunday night."""

    def now(self) -> datetime:
        """Give the time."""
        return datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # Monday 02:00 in Seoul


@pytest.mark.parametrize("day", [None, date(2018, 2, 1)])
async def test_an_open_clock_keeps_the_market_open_at_any_hour(day: date | None) -> None:
    async with a_desk(pacing=Pacing.OPEN, day=day, clock=WallClock()) as desk:
        today = desk.simulator.simulation.today()
        order = await desk.order("TTTC0012U", LG_CHEM, 1)
        future = {"INQR_STRT_DT": "20261123", "INQR_END_DT": "20261123"}
        rows = await desk.rows(**future)
        chart = await desk.quotation(
            "FHKST03010100",
            "inquire-daily-itemchartprice",
            FID_INPUT_ISCD=LG_CHEM,
            FID_INPUT_DATE_1="20160101",
            FID_INPUT_DATE_2=f"{today:%Y%m%d}",
        )
        state = (await desk.http.get("/sim/clock")).json()
    assert today == (day or date(2026, 11, 23))
    assert state["mode"] == "open"
    assert state["now"].endswith("+09:00")
    assert state["now"][11:13] == "02"
    assert order["rt_cd"] == "0"
    assert [row["tot_ccld_qty"] for row in rows] == ["1"]
    assert len(chart["output2"]) == 100
    assert chart["output2"][0]["stck_bsop_date"] == f"{today:%Y%m%d}"
