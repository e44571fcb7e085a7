"""This is what each call of the simulator answers: every field, in the documented shape, with sound values."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from adapters.kis_sim.answers import BY_CALL
from adapters.kis_sim.calls import CALLS
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY
from tests.sim_clients import ACCOUNT_FIELDS, BUY, SELL, Desk, a_desk
from trading.sessions import KST

LG_CHEM, SAMSUNG = "051910", "005930"
TODAY = f"{A_DAY:%Y%m%d}"
CHART = {"FID_INPUT_ISCD": LG_CHEM, "FID_INPUT_DATE_1": "20160101", "FID_INPUT_DATE_2": TODAY}

ASKED: dict[str, dict[str, str]] = {
    "inquire-daily-ccld": {"INQR_STRT_DT": TODAY, "INQR_END_DT": TODAY},
    "inquire-psbl-sell": {"PDNO": LG_CHEM},
    "inquire-period-profit": {"INQR_STRT_DT": TODAY, "INQR_END_DT": TODAY},
    "inquire-period-trade-profit": {"INQR_STRT_DT": TODAY, "INQR_END_DT": TODAY},
    "inquire-daily-itemchartprice": CHART,
    "inquire-daily-indexchartprice": {
        "FID_COND_MRKT_DIV_CODE": "U",
        "FID_INPUT_ISCD": "0001",
        "FID_INPUT_DATE_1": "20180101",
        "FID_INPUT_DATE_2": TODAY,
        "FID_PERIOD_DIV_CODE": "D",
    },
    "inquire-time-itemchartprice": {"FID_INPUT_ISCD": LG_CHEM, "FID_INPUT_HOUR_1": "110000"},
    "inquire-time-dailychartprice": {
        "FID_INPUT_ISCD": LG_CHEM,
        "FID_INPUT_DATE_1": "20180115",
        "FID_INPUT_HOUR_1": "110000",
    },
    "intstock-multprice": {"FID_COND_MRKT_DIV_CODE_1": "J", "FID_INPUT_ISCD_1": LG_CHEM},
    "search-info": {"PDNO": LG_CHEM, "PRDT_TYPE_CD": "300"},
    "search-stock-info": {"PDNO": LG_CHEM, "PRDT_TYPE_CD": "300"},
    "chk-holiday": {"BASS_DT": TODAY},
    "order-resv-ccnl": {"RSVN_ORD_ORD_DT": TODAY, "RSVN_ORD_END_DT": TODAY},
}


async def ask(desk: Desk, name: str, **changes: str) -> Any:
    """Ask a call with what it needs."""
    call = CALLS[name]
    fields = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": LG_CHEM}
    if call.is_trading:
        fields = dict(ACCOUNT_FIELDS)
    parameters = fields | ASKED.get(name, {}) | changes
    tr = call.trs[Environment.REAL][0]
    reply = await desk.get(tr, f"/uapi/domestic-stock/v1/{call.path}", **parameters)
    assert reply.status_code == 200
    return reply.json()


def test_every_documented_call_has_an_answer() -> None:
    assert set(BY_CALL) == set(CALLS)


@pytest.mark.parametrize("name", [name for name, each in CALLS.items() if not each.is_order])
async def test_a_call_answers_with_every_field_in_its_shape(name: str) -> None:
    call = CALLS[name]
    async with a_desk() as desk:
        await desk.to("10:00")
        await desk.order(BUY, LG_CHEM, 2)
        await desk.order(SELL, LG_CHEM, 1)
        body = await ask(desk, name)
    assert body["rt_cd"] == "0"
    assert len(body["msg1"]) == 80
    for block, kind in call.kinds.items():
        rows = [body[block]] if kind == "object" else body[block]
        assert isinstance(body[block], dict if kind == "object" else list)
        assert kind != "single" or len(rows) == 1
        for row in rows:
            assert list(row) == list(call.blanks[block])
            assert all(isinstance(value, str) for value in row.values())


# --- charts --------------------------------------------------------------------------------------------


async def test_the_daily_chart_pages_back_a_hundred_rows_at_a_time() -> None:
    async with a_desk() as desk:
        last, found = A_DAY, []
        while True:
            body = await ask(
                desk, "inquire-daily-itemchartprice", FID_INPUT_DATE_2=f"{last:%Y%m%d}"
            )
            rows = body["output2"]
            found += rows
            if len(rows) < 100:
                break
            last = date.fromisoformat(rows[-1]["stck_bsop_date"]) - timedelta(days=1)
        past = desk.simulator.simulation.market.history.before(LG_CHEM, A_DAY)
    assert [row["stck_bsop_date"] for row in found] == [f"{bar.day:%Y%m%d}" for bar in past[::-1]]
    assert [int(row["stck_clpr"]) for row in found] == [bar.close for bar in past[::-1]]
    assert int(found[0]["prdy_vrss"]) == past[-1].close - past[-2].close


async def test_longer_periods_put_days_together() -> None:
    async with a_desk(day=date(2018, 3, 2)) as desk:
        await desk.to("06:30", date(2018, 3, 2))
        months = (
            await ask(
                desk,
                "inquire-daily-itemchartprice",
                FID_PERIOD_DIV_CODE="M",
                FID_INPUT_DATE_2="20180302",
            )
        )["output2"]
        weeks = (await ask(desk, "inquire-daily-price", FID_PERIOD_DIV_CODE="W"))["output"]
        past = desk.simulator.simulation.market.history.before(LG_CHEM, date(2018, 3, 1))
    february = [bar for bar in past if bar.day >= date(2018, 2, 1)]
    assert months[0]["stck_bsop_date"] == f"{february[-1].day:%Y%m%d}"
    assert int(months[0]["stck_oprc"]) == february[0].open
    assert int(months[0]["stck_hgpr"]) == max(bar.high for bar in february)
    assert int(months[0]["acml_vol"]) == sum(bar.volume for bar in february)
    assert len(weeks) == 30


async def test_an_unknown_symbol_has_a_price_of_nothing() -> None:
    async with a_desk() as desk:
        chart = await ask(desk, "inquire-daily-itemchartprice", FID_INPUT_ISCD="999999")
        quote = await ask(desk, "inquire-price", FID_INPUT_ISCD="999999")
    assert (chart["rt_cd"], chart["output1"]["stck_prpr"]) == ("0", "0")
    assert chart["output2"] == [{}]
    assert quote["output"]["stck_prpr"] == "0"


async def test_clients_that_ask_since_the_year_0_get_everything() -> None:
    async with a_desk() as desk:
        body = await ask(desk, "inquire-daily-itemchartprice", FID_INPUT_DATE_1="00000101")
    assert len(body["output2"]) == 100


async def test_an_unknown_period_and_market_are_refused() -> None:
    async with a_desk() as desk:
        period = await desk.quotation(
            "FHKST03010100", "inquire-daily-itemchartprice", **CHART, FID_PERIOD_DIV_CODE="Q"
        )
        market = await desk.quotation(
            "FHKST01010100",
            "inquire-price",
            FID_INPUT_ISCD=LG_CHEM,
            FID_COND_MRKT_DIV_CODE="Z",
        )
    assert (period["msg_cd"], market["msg_cd"]) == ("OPSQ2002", "OPSQ2001")


async def minutes(desk: Desk, until: str, **changes: str) -> list[dict[str, str]]:
    body = await ask(desk, "inquire-time-itemchartprice", FID_INPUT_HOUR_1=until, **changes)
    rows: list[dict[str, str]] = body["output2"]
    return rows


async def test_minutes_come_thirty_at_a_time_back_from_a_time_of_day() -> None:
    async with a_desk() as desk:
        await desk.to("10:30")
        first = await minutes(desk, "102900")
        second = await minutes(desk, "095900")
    assert [row["stck_cntg_hour"] for row in first][::29] == ["102900", "100000"]
    assert [row["stck_cntg_hour"] for row in second][::29] == ["095900", "093000"]
    values = [int(row["acml_tr_pbmn"]) for row in first + second]
    assert values == sorted(values, reverse=True)


async def test_the_forming_minute_shows_the_last_volume_until_it_has_a_trade() -> None:
    async with a_desk(spacing=120) as desk:
        market = desk.simulator.simulation.market
        await desk.to("10:00")
        tape = market.prints_so_far(LG_CHEM, desk.simulator.simulation.now())
        await desk.simulator.advance_to(tape[-1].at.replace(second=0) + timedelta(minutes=1))
        now = desk.simulator.simulation.now().astimezone(KST)
        forming, last, *_ = await minutes(desk, f"{now:%H%M%S}")
    assert forming["cntg_vol"] == last["cntg_vol"] != "0"
    assert forming["stck_prpr"] == last["stck_prpr"]


async def test_minutes_run_into_earlier_days_when_asked_to() -> None:
    async with a_desk() as desk:
        await desk.to("09:03")
        today = await minutes(desk, "090200")
        more = await minutes(desk, "090200", FID_PW_DATA_INCU_YN="Y")
    assert {row["stck_bsop_date"] for row in today} == {TODAY}
    assert len(more) == 30
    assert {row["stck_bsop_date"] for row in more} == {TODAY, "20180115"}


async def test_minutes_of_a_past_day_come_a_hundred_and_twenty_at_a_time() -> None:
    async with a_desk() as desk:
        rows = (await ask(desk, "inquire-time-dailychartprice", FID_INPUT_HOUR_1="153000"))[
            "output2"
        ]
        too_old = await ask(desk, "inquire-time-dailychartprice", FID_INPUT_DATE_1="20160601")
        past = desk.simulator.simulation.market.history.bar(LG_CHEM, date(2018, 1, 15))
    assert past is not None
    assert len(rows) == 120
    assert (rows[0]["stck_cntg_hour"], rows[0]["stck_prpr"]) == ("153000", str(past.close))
    assert rows[1]["stck_cntg_hour"] == "151900"
    assert too_old["output2"] == []


async def test_the_last_trades_come_newest_first() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        latest = (await ask(desk, "inquire-ccnl"))["output"]
        earlier = (await ask(desk, "inquire-time-itemconclusion", FID_INPUT_HOUR_1="093000"))[
            "output2"
        ]
    assert len(latest) == len(earlier) == 30
    times = [row["stck_cntg_hour"] for row in latest]
    assert times == sorted(times, reverse=True)
    assert earlier[0]["stck_cntg_hour"] <= "093000" < latest[-1]["stck_cntg_hour"]


# --- lists and reference -------------------------------------------------------------------------------


async def test_a_watch_list_gives_each_pair_and_refuses_half_a_pair() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        pair = {"FID_COND_MRKT_DIV_CODE_2": "J", "FID_INPUT_ISCD_2": SAMSUNG}
        listed = (await ask(desk, "intstock-multprice", **pair))["output"]
        quote = (await ask(desk, "inquire-price"))["output"]
        half = await ask(desk, "intstock-multprice", FID_INPUT_ISCD_2=SAMSUNG)
    assert [row["inter_shrn_iscd"] for row in listed] == [LG_CHEM, SAMSUNG]
    assert listed[0]["inter2_prpr"] == quote["stck_prpr"]
    assert half["msg_cd"] == "OPSQ2002"


async def test_symbols_are_ranked_by_todays_volume() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        rows = (await ask(desk, "volume-rank"))["output"]
    volumes = [int(row["acml_vol"]) for row in rows]
    assert len(rows) == 6
    assert volumes == sorted(volumes, reverse=True)
    assert [row["data_rank"] for row in rows] == list("123456")


async def test_products_have_names_and_standard_codes() -> None:
    async with a_desk() as desk:
        product = (await ask(desk, "search-info"))["output"]
        share = (await ask(desk, "search-stock-info"))["output"]
    assert product["shtn_pdno"] == LG_CHEM
    assert (product["prdt_name"], product["prdt_eng_name120"]) == ("LG화학", "LG CHEM")
    assert product["std_pdno"] == share["std_pdno"] == "KR7051910008"
    assert share["prdt_name"] == share["prdt_abrv_name"] == "LG화학"
    assert (share["mket_id_cd"], share["tr_stop_yn"]) == ("STK", "N")


async def test_holidays_come_25_days_at_a_time_without_end() -> None:
    async with a_desk() as desk:
        desk.headers["tr_cont"] = ""
        path = "/uapi/domestic-stock/v1/quotations/chk-holiday"
        first = await desk.get("CTCA0903R", path, BASS_DT="20180213")
        keys = {key: first.json()[key] for key in ("ctx_area_nk", "ctx_area_fk")}
        second = await desk.get(
            "CTCA0903R", path, BASS_DT="20180213", **{k.upper(): v for k, v in keys.items()}
        )
    rows = first.json()["output"] + second.json()["output"]
    assert first.headers["tr_cont"] == "M"
    assert len(rows) == 50
    days = [row["bass_dt"] for row in rows]
    assert days == [f"{date(2018, 2, 13) + timedelta(days=each):%Y%m%d}" for each in range(50)]
    # 15 and 16 February 2018 were Lunar New Year, 17 and 18 a weekend.
    assert [row["opnd_yn"] for row in rows[:7]] == list("YYNNNNY")
    assert [row["wday_dvsn_cd"] for row in rows[:7]] == ["03", "04", "05", "06", "07", "01", "02"]


async def test_the_time_of_the_market_is_told() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        body = (await ask(desk, "market-time"))["output1"]
    assert (body["today"], body["time"]) == (TODAY, "100000")
    assert (body["s_time"], body["e_time"]) == ("090000", "153000")
    assert [body[f"date{place}"] for place in (1, 2, 3)] == [TODAY, "20180115", "20180112"]


@pytest.mark.parametrize("tr", ["TTTS3018R", "CTRP6504R"])
async def test_nothing_is_held_overseas(tr: str) -> None:
    async with a_desk() as desk:
        path = "/uapi/overseas-stock/v1/trading/inquire-nccs"
        reply = await desk.get(tr, path, **ACCOUNT_FIELDS)
        desk.headers["authorization"] = "Bearer stranger"
        refused = await desk.get(tr, path, **ACCOUNT_FIELDS)
    assert (reply.json()["rt_cd"], reply.json()["output"]) == ("0", [])
    assert reply.headers["tr_cont"] == "D"
    assert refused.json()["msg_cd"] == "EGW00121"


# --- the account ---------------------------------------------------------------------------------------


async def test_filters_of_the_order_list_narrow_it() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        await desk.order(BUY, LG_CHEM, 2)
        await desk.order(BUY, SAMSUNG, 1, 48_000)
        await desk.order(SELL, LG_CHEM, 1, 500_000)

        async def numbers(**fields: str) -> list[str]:
            return [row["odno"][-1] for row in await desk.rows(**fields)]

        assert await numbers() == ["3", "2", "1"]
        assert await numbers(INQR_DVSN="01") == ["1", "2", "3"]
        assert await numbers(SLL_BUY_DVSN_CD="01") == ["3"]
        assert await numbers(SLL_BUY_DVSN_CD="02") == ["2", "1"]
        assert await numbers(CCLD_DVSN="01") == ["1"]
        assert await numbers(CCLD_DVSN="02") == ["3", "2"]
        assert await numbers(PDNO=SAMSUNG) == ["2"]
        assert await numbers(ODNO="1003") == ["3"]
        assert await numbers(INQR_STRT_DT="20180101", INQR_END_DT="20180115") == []


async def test_orders_that_can_be_changed_are_listed_by_side() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        await desk.order(BUY, LG_CHEM, 2)
        await desk.order(BUY, SAMSUNG, 1, 48_000)
        await desk.order(SELL, LG_CHEM, 1, 500_000)
        both = (await ask(desk, "inquire-psbl-rvsecncl"))["output"]
        sells = (await ask(desk, "inquire-psbl-rvsecncl", INQR_DVSN_2="1"))["output"]
        buys = (await ask(desk, "inquire-psbl-rvsecncl", INQR_DVSN_2="2"))["output"]
    assert [row["odno"][-1] for row in both] == ["3", "2"]
    assert [row["psbl_qty"] for row in sells] == ["1"]
    assert [row["pdno"] for row in buys] == [SAMSUNG]


async def test_old_orders_are_only_in_the_list_of_older_ones() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        await desk.order(BUY, LG_CHEM, 1)
        await desk.to("10:00", date(2018, 5, 2))
        span = {"INQR_STRT_DT": "20180101", "INQR_END_DT": "20180502"}
        recent = await desk.rows(**span)
        older = await desk.rows("CTSC9215R", **span)
    assert (len(recent), len(older)) == (0, 1)


async def test_results_come_by_day_and_by_symbol() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        await desk.order(BUY, LG_CHEM, 2)
        await desk.order(SELL, LG_CHEM, 2)
        days = await ask(desk, "inquire-period-profit")
        symbols = await ask(desk, "inquire-period-trade-profit")
        today = await ask(desk, "inquire-balance-rlz-pl")
        (account,) = desk.simulator.book()["accounts"]
    bought, sold = account["fills"]
    cost, proceeds = 2 * bought["price"], 2 * sold["price"]
    result = proceeds - cost - sold["commission"] - sold["tax"]
    assert int(days["output1"][0]["rlzt_pfls"]) == result
    assert int(days["output2"]["tot_rlzt_pfls"]) == result
    assert int(symbols["output1"][0]["rlzt_pfls"]) == result
    assert int(today["output2"][0]["rlzt_pfls"]) == result
    assert int(days["output2"]["tot_fee"]) == bought["commission"] + sold["commission"]
    assert symbols["output1"][0]["pdno"] == LG_CHEM
