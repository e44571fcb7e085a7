"""This is the simulator's time: it stands, steps, runs at a factor, or keeps the market open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.kis_sim.options import Pacing
from tests.builders import A_DAY, seoul
from tests.sim_clients import a_desk

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"


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
        "calls": 0,
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


async def test_an_open_market_goes_on_over_midnight() -> None:
    async with a_desk(pacing=Pacing.OPEN, day=None, clock=WallClock()) as desk:
        first = (await desk.http.get("/sim/clock")).json()["trading_day"]
        await desk.to("10:00", date(2026, 11, 24))
        order = await desk.order("TTTC0012U", LG_CHEM, 1)
        quote = await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=LG_CHEM)
        (row,) = await desk.rows()
    assert first == "2026-11-23"
    assert (order["rt_cd"], row["tot_ccld_qty"], row["ord_dt"]) == ("0", "1", "20261124")
    assert int(quote["output"]["acml_vol"]) > 0
