"""This is KIS market data over the simulator, held against the file that the simulator plays."""

from __future__ import annotations

import csv
import gzip
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from adapters.kis_sim.histories import BUNDLED
from adapters.kis_sim.orders import Environment
from tests.broker_worlds import KisWorld, a_kis_world
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, seoul
from tests.kis_worlds import a_clock, opened_on, success
from trading.bars import Bar, Interval
from trading.errors import Rejected, Unavailable
from trading.indices import Index
from trading.instruments import Symbol

YESTERDAY = A_DAY - timedelta(days=1)
UNKNOWN = Symbol("999999")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KisWorld]:
    """Paper, at a quarter past nine."""
    async with a_kis_world(tmp_path) as paper:
        await paper.move_to("09:15:30")
        yield paper


def bars_of_the_file(first: date, last: date) -> list[tuple[date, int, int, int, int, int]]:
    with gzip.open(BUNDLED, "rt", encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["symbol"] == LG_CHEM]
    days = [(date.fromisoformat(row["ts"][:10]), row) for row in rows]
    names = ("open", "high", "low", "close", "volume")
    return [
        (day, *(int(float(row[name])) for name in names))  # type: ignore[misc]  # five of them
        for day, row in days
        if first <= day <= last
    ]


def figures(bar: Bar) -> tuple[date, int, int, int, int, int]:
    return (bar.trading_day, bar.open, bar.high, bar.low, bar.close, bar.volume)


async def test_two_years_of_daily_bars_come_through_all_their_pages(world: KisWorld) -> None:
    first = date(2016, 1, 4)
    bars = await world.market_data.daily_bars(LG_CHEM, first=first, last=YESTERDAY)
    assert len(bars) > 400
    assert [figures(bar) for bar in bars] == bars_of_the_file(first, YESTERDAY)
    assert {bar.interval for bar in bars} == {Interval.DAY}
    assert all(bar.at == seoul(bar.trading_day, "00:00") for bar in bars)
    assert not any(bar.is_provisional for bar in bars)


async def test_a_span_before_the_listing_is_empty_and_ends(world: KisWorld) -> None:
    bars = await world.market_data.daily_bars(
        LG_CHEM, first=date(2015, 1, 1), last=date(2016, 1, 5)
    )
    assert [bar.trading_day for bar in bars] == [date(2016, 1, 4), date(2016, 1, 5)]


async def test_the_bar_of_today_is_provisional(world: KisWorld) -> None:
    bars = await world.market_data.daily_bars(LG_CHEM, first=YESTERDAY, last=A_DAY)
    assert [(bar.trading_day, bar.is_provisional) for bar in bars] == [
        (YESTERDAY, False),
        (A_DAY, True),
    ]


async def test_minute_bars_of_today_are_the_closed_ones(world: KisWorld) -> None:
    bars = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    minutes = [seoul(A_DAY, "09:00") + timedelta(minutes=n) for n in range(1, 16)]
    assert [bar.at for bar in bars] == minutes
    assert bars[0].open == bars_of_the_file(A_DAY, A_DAY)[0][1]
    assert all(bar.interval is Interval.MINUTE and not bar.is_adjusted for bar in bars)


async def test_the_last_minutes_alone_can_be_read(world: KisWorld) -> None:
    every = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    since = seoul(A_DAY, "09:10")
    bars = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY, since=since)
    assert [bar for bar in bars if bar.at > since] == list(every[-5:])


async def test_the_minutes_of_a_day_add_up_to_the_day(world: KisWorld) -> None:
    await world.move_to("15:45")
    bars = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    _, opened, high, low, close, volume = bars_of_the_file(A_DAY, A_DAY)[0]
    assert (bars[0].open, bars[-1].close) == (opened, close)
    assert (max(bar.high for bar in bars), min(bar.low for bar in bars)) == (high, low)
    assert sum(bar.volume for bar in bars) == volume
    assert bars[-1].at == seoul(A_DAY, "15:30")
    assert all(bar.at <= seoul(A_DAY, "15:20") for bar in bars[:-1])
    assert len({bar.at for bar in bars}) == len(bars)


async def test_before_the_opening_there_are_no_minutes(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        assert await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY) == ()


async def test_paper_keeps_no_minutes_of_the_past_and_no_calendar(world: KisWorld) -> None:
    with pytest.raises(Rejected, match="not offered on paper"):
        await world.market_data.minute_bars(LG_CHEM, trading_day=YESTERDAY)
    assert await world.market_data.open_days(first=A_DAY) == {}


async def test_an_unknown_symbol_is_refused_and_not_empty(world: KisWorld) -> None:
    with pytest.raises(Rejected):
        await world.market_data.daily_bars(UNKNOWN, first=YESTERDAY, last=A_DAY)
    with pytest.raises(Rejected):
        await world.market_data.minute_bars(UNKNOWN, trading_day=A_DAY)
    with pytest.raises(Rejected):
        await world.market_data.quote(UNKNOWN)
    with pytest.raises(Rejected):
        await world.market_data.instruments([UNKNOWN])


async def test_a_real_account_knows_more(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path, Environment.REAL) as world:
        await world.move_to("09:15")
        past = await world.market_data.minute_bars(LG_CHEM, trading_day=YESTERDAY)
        assert (past[0].at, past[-1].at) == (seoul(YESTERDAY, "09:01"), seoul(YESTERDAY, "15:30"))
        assert sum(bar.volume for bar in past) == bars_of_the_file(YESTERDAY, YESTERDAY)[0][5]
        days = await world.market_data.open_days(first=A_DAY)
        assert [days[A_DAY + timedelta(days=n)] for n in range(7)] == [True] * 4 + [False] * 2 + [
            True
        ]
        (found,) = await world.market_data.instruments([SAMSUNG])
        assert found.listed_on is not None
        with pytest.raises(Rejected):
            await world.market_data.instruments([UNKNOWN])


DAY_ROW = {
    "stck_bsop_date": "20180115",
    "stck_oprc": "0",
    "stck_hgpr": "0",
    "stck_lwpr": "0",
    "stck_clpr": "430000",
    "acml_vol": "0",
    "acml_tr_pbmn": "0",
}
HEAD = {"stck_prpr": "430000", "hts_kor_isnm": "LG화학"}


async def test_a_halted_day_is_a_bar_without_trade(tmp_path: Path) -> None:
    chart = success(output1=HEAD, output2=[{}, DAY_ROW, {}])
    async with opened_on("itemchartprice", chart, home=tmp_path) as (kis, server):
        bars = await kis.market_data.daily_bars(LG_CHEM, first=YESTERDAY, last=YESTERDAY)
        assert [(bar.close, bar.is_halted, bar.value) for bar in bars] == [(430_000, True, None)]
        query = server.requests[-1].path
        assert "FID_ORG_ADJ_PRC=0" in query
        assert "FID_INPUT_DATE_1=20180115&FID_INPUT_DATE_2=20180115" in query


@pytest.mark.parametrize(
    "chart",
    [
        success(output1=HEAD, output2=[DAY_ROW | {"stck_bsop_date": "20180117"}]),
        success(output1=HEAD, output2=[DAY_ROW | {"stck_clpr": ""}]),
        success(output1=HEAD),
        success(output2=[DAY_ROW]),
    ],
    ids=["later than asked", "no close", "no list", "no head"],
)
async def test_a_chart_that_cannot_be_right_is_an_error(tmp_path: Path, chart: bytes) -> None:
    async with opened_on("itemchartprice", chart, home=tmp_path, clock=a_clock()) as (kis, _):
        with pytest.raises(Unavailable):
            await kis.market_data.daily_bars(LG_CHEM, first=YESTERDAY, last=A_DAY)


async def test_the_index_is_read_through_every_page(world: KisWorld) -> None:
    first = date(2017, 6, 1)
    bars = await world.market_data.index_bars(Index.KOSPI, first=first, last=A_DAY)
    days = [bar.trading_day for bar in bars]
    sessions = await world.market_data.daily_bars(LG_CHEM, first=first, last=A_DAY)
    assert days == [bar.trading_day for bar in sessions]  # more than three pages of fifty
    assert len(days) > 150
    assert all(bar.low <= bar.close <= bar.high for bar in bars)
    (yesterday,) = [bar for bar in bars if bar.trading_day == YESTERDAY]
    assert 1_000 < yesterday.close < 4_000
    assert yesterday.close.as_tuple().exponent == -2


INDEX_ROW = {
    "stck_bsop_date": "20180115",
    "bstp_nmix_prpr": "2503.73",
    "bstp_nmix_oprc": "2505.51",
    "bstp_nmix_hgpr": "2512.93",
    "bstp_nmix_lwpr": "2494.35",
}


async def test_the_index_is_asked_for_by_its_code_and_keeps_its_decimals(tmp_path: Path) -> None:
    chart = success(output1={}, output2=[{}, INDEX_ROW])
    async with opened_on("indexchartprice", chart, home=tmp_path) as (kis, server):
        (bar,) = await kis.market_data.index_bars(Index.KOSPI, first=YESTERDAY, last=YESTERDAY)
        assert [str(each) for each in (bar.open, bar.high, bar.low, bar.close)] == [
            "2505.51", "2512.93", "2494.35", "2503.73",
        ]  # fmt: skip
        request = server.requests[-1]
        assert "FID_COND_MRKT_DIV_CODE=U&FID_INPUT_ISCD=0001" in request.path
        assert request.headers["tr_id"] == "FHKUP03500100"


@pytest.mark.parametrize("level", ["", "0", "-1.5", "NaN", "many", "1E+99"])
async def test_a_level_that_is_none_is_an_error(tmp_path: Path, level: str) -> None:
    chart = success(output1={}, output2=[INDEX_ROW | {"bstp_nmix_prpr": level}])
    async with opened_on("indexchartprice", chart, home=tmp_path) as (kis, _):
        with pytest.raises(Unavailable):
            await kis.market_data.index_bars(Index.KOSPI, first=YESTERDAY, last=YESTERDAY)
