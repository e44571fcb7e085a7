"""This is the proof that no call of the simulator shows what has not happened yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from adapters.kis_sim.histories import DayBar, History
from tests.builders import A_DAY, seoul
from tests.sim_clients import BALANCE, Desk, a_desk, minute_file

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"
EVENING = seoul(A_DAY, "20:00")

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
