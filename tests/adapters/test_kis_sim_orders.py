"""This is what happens to orders in the simulator, with figures worked out by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.builders import A_DAY
from tests.sim_clients import (
    BALANCE,
    BUY,
    PAPER_BUY,
    PAPER_SELL,
    SELL,
    Desk,
    a_desk,
    minute_file,
)

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"

FLAT_DAY = [
    ("005930", "2018-01-15 09:00", 50_000, 50_000, 50_000, 50_000, 1_000_000),
    ("005930", "2018-01-16 09:00", 50_000, 50_000, 50_000, 50_000, 1_000),
    ("005930", "2018-01-16 09:01", 50_000, 50_000, 50_000, 50_000, 400),
    ("005930", "2018-01-16 10:00", 49_900, 49_900, 49_900, 49_900, 40),
    ("005930", "2018-01-16 11:00", 49_900, 49_900, 49_900, 49_900, 100),
    ("005930", "2018-01-16 15:30", 49_900, 49_900, 49_900, 49_900, 500),
    ("005930", "2018-01-18 09:00", 49_900, 49_900, 49_900, 49_900, 500),
]
"""Minutes of one share at two prices; the day before is so large that every book level holds 500 or more."""


async def figures(desk: Desk) -> dict[str, int]:
    body = await desk.account(BALANCE, "inquire-balance")
    (output,) = body["output2"]
    return {name: int(value) for name, value in output.items() if value.lstrip("-").isdigit()}


async def buyable(desk: Desk, symbol: str, division: str, price: int = 0) -> dict[str, int]:
    body = await desk.account(
        "TTTC8908R", "inquire-psbl-order", PDNO=symbol, ORD_DVSN=division, ORD_UNPR=str(price)
    )
    return {name: int(value) for name, value in body["output"].items()}


def account(desk: Desk) -> dict[str, Any]:
    state: dict[str, Any] = desk.simulator.book()["accounts"][0]
    return state


async def test_a_day_worked_out_by_hand(tmp_path: Path) -> None:
    # 10,000,000 won, commission 0.015 %, KOSPI tax of 2018 0.15 % + 0.15 %, each part cut to whole won per order.
    # 09:10 buy 100 at the market : ask 50,000           -> 5,000,000, commission 750
    # 09:10 buy  60 at 49,900     : 40 at 10:00          -> 1,996,000, commission 299 (299.4)
    #                               20 at 11:00          ->   998,000, commission 150 (449.1 in all)
    # 09:10 buy  10 at 49,000     : never, holds 490,000 + 73 (73.5) until the close
    # 13:00 sell 50 at the market : bid 49,900           -> 2,495,000, commission 374 (374.25),
    #                               tax 3,742 + 3,742 (3,742.5 each) = 7,484
    # cost of 160 shares 5,000,000 + 2,994,000 = 7,994,000; of the 50 sold 7,994,000 x 50 / 160 = 2,498,125
    # left: 110 shares that cost 5,495,875, worth 110 x 49,900 = 5,489,000
    # cash 10,000,000 - 5,000,750 - 1,996,299 - 998,150 + (2,495,000 - 374 - 7,484) = 4,491,943 on T+2
    async with a_desk(data=minute_file(tmp_path, FLAT_DAY), cash=10_000_000) as desk:
        await desk.to("09:10")
        market = (await desk.order(BUY, SAMSUNG, 100))["output"]["ODNO"]
        limit = (await desk.order(BUY, SAMSUNG, 60, 49_900))["output"]["ODNO"]
        deep = (await desk.order(BUY, SAMSUNG, 10, 49_000))["output"]["ODNO"]
        await desk.to("10:30")
        partly = await desk.row(limit)
        await desk.to("13:00")
        sale = (await desk.order(SELL, SAMSUNG, 50))["output"]["ODNO"]
        free = (await buyable(desk, "", "00"))["ord_psbl_cash"]
        await desk.to("15:31")
        rows = {number: await desk.row(number) for number in (market, limit, deep, sale)}
        body = await desk.account(BALANCE, "inquire-balance")
        cash = await figures(desk)
        profit = await desk.account(
            "TTTC8708R", "inquire-period-profit", INQR_STRT_DT="20180116", INQR_END_DT="20180116"
        )
        await desk.to("06:00", date(2018, 1, 18))
        settled = await figures(desk)

    def shown(row: dict[str, str]) -> tuple[str, ...]:
        names = ("ord_qty", "tot_ccld_qty", "tot_ccld_amt", "avg_prvs", "rmn_qty", "cncl_cfrm_qty")
        return tuple(row[name] for name in names)

    assert shown(partly) == ("60", "40", "1996000", "49900", "20", "0")
    assert shown(rows[market]) == ("100", "100", "5000000", "50000", "0", "0")
    assert shown(rows[limit]) == ("60", "60", "2994000", "49900", "0", "0")
    assert shown(rows[deep]) == ("10", "0", "0", "0", "0", "10")
    assert shown(rows[sale]) == ("50", "50", "2495000", "49900", "0", "0")
    assert rows[deep]["cncl_yn"] == ""  # it died with the session, nobody cancelled it
    assert free == 4_491_943 - 490_073

    (holding,) = body["output1"]
    assert (holding["hldg_qty"], holding["ord_psbl_qty"]) == ("110", "110")
    assert (holding["pchs_avg_pric"], holding["pchs_amt"]) == ("49962.5000", "5495875")
    assert (holding["evlu_amt"], holding["evlu_pfls_amt"]) == ("5489000", "-6875")
    assert (holding["thdt_buyqty"], holding["thdt_sll_qty"]) == ("160", "50")

    assert cash["dnca_tot_amt"] == cash["nxdy_excc_amt"] == 10_000_000
    assert cash["prvs_rcdl_excc_amt"] == 4_491_943
    assert (cash["thdt_buy_amt"], cash["thdt_sll_amt"]) == (7_994_000, 2_495_000)
    assert cash["thdt_tlex_amt"] == 750 + 299 + 150 + 374 + 7_484
    assert cash["tot_evlu_amt"] == cash["nass_amt"] == 4_491_943 + 5_489_000
    assert cash["asst_icdc_amt"] == 4_491_943 + 5_489_000 - 10_000_000
    (day,) = profit["output1"]
    assert int(day["rlzt_pfls"]) == 2_495_000 - 2_498_125 - 374 - 7_484
    assert (day["fee"], day["tl_tax"]) == ("1573", "7484")
    assert settled["dnca_tot_amt"] == settled["prvs_rcdl_excc_amt"] == 4_491_943


async def test_a_market_buy_is_reckoned_at_the_upper_limit(tmp_path: Path) -> None:
    # Base 50,000, upper limit 65,000: 153 x 65,000 = 9,945,000 + 1,491 fits, 154 does not; at 50,000 199 do.
    async with a_desk(data=minute_file(tmp_path, FLAT_DAY), cash=10_000_000) as desk:
        await desk.to("09:10")
        market = await buyable(desk, SAMSUNG, "01")
        limit = await buyable(desk, SAMSUNG, "00", 50_000)
        refused = await desk.order(BUY, SAMSUNG, 154)
        on_paper = await desk.order(PAPER_BUY, SAMSUNG, 154)
        accepted = await desk.order(BUY, SAMSUNG, 153)
    assert (market["psbl_qty_calc_unpr"], market["nrcvb_buy_qty"]) == (65_000, 153)
    assert (limit["psbl_qty_calc_unpr"], limit["nrcvb_buy_qty"]) == (50_000, 199)
    assert (refused["rt_cd"], refused["msg_cd"]) == ("7", "APBK0952")
    assert (on_paper["rt_cd"], on_paper["msg_cd"]) == ("1", "40250000")
    assert accepted["rt_cd"] == "0"


@pytest.mark.parametrize("cash", [1, 49_999, 50_007, 50_008, 1_234_567, 10_000_000])
async def test_what_is_said_to_be_buyable_is_and_one_more_is_not(cash: int, tmp_path: Path) -> None:
    async with a_desk(data=minute_file(tmp_path, FLAT_DAY), cash=cash) as desk:
        await desk.to("09:10")
        most = (await buyable(desk, SAMSUNG, "00", 50_000))["nrcvb_buy_qty"]
        refused = await desk.order(BUY, SAMSUNG, most + 1, 50_000)
        accepted = (await desk.order(BUY, SAMSUNG, most, 50_000)) if most else {"rt_cd": "0"}
        left = (await buyable(desk, "", "00"))["ord_psbl_cash"]
    assert refused["msg_cd"] == "APBK0952"
    assert accepted["rt_cd"] == "0"
    assert left >= 0


@pytest.mark.parametrize(
    ("symbol", "quantity", "price", "division", "code"),
    [
        (LG_CHEM, 1, 430_100, "00", "APBK0656"),  # the grid is 500 here
        (LG_CHEM, 1, 569_000, "00", "APBK0656"),  # above the upper limit 568,000
        (LG_CHEM, 1, 305_500, "00", "APBK0656"),  # below the lower limit 306,000
        (LG_CHEM, 1, 0, "00", "APBK0656"),
        (LG_CHEM, 0, 430_000, "00", "APBK0400"),
        (LG_CHEM, 1, 430_000, "99", "APBK0963"),
        ("000000", 1, 430_000, "00", "APBK0656"),
        (LG_CHEM, 1, 430_000, "05", "APBK0918"),
        (LG_CHEM, 1, 430_000, "06", "APBK0918"),
    ],
)
async def test_orders_that_break_a_rule_are_refused_and_not_booked(
    symbol: str, quantity: int, price: int, division: str, code: str
) -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        reply = await desk.order(BUY, symbol, quantity, price, division)
        assert account(desk)["orders"] == []
    assert (reply["rt_cd"], reply["msg_cd"]) == ("7", code)


@pytest.mark.parametrize("price", [306_000, 568_000])
async def test_the_limits_themselves_are_allowed(price: int) -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        assert (await desk.order(BUY, LG_CHEM, 1, price))["rt_cd"] == "0"


async def test_figures_that_are_no_numbers_are_refused() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        for wrong in ("-1", "1.5", "many", "１"):  # noqa: RUF001 - a full-width digit is no digit
            reply = await desk.post(
                BUY, "order-cash", PDNO=LG_CHEM, ORD_DVSN="00", ORD_QTY=wrong, ORD_UNPR="430000"
            )
            assert reply.json()["msg_cd"] == "OPSQ2002"


async def test_more_shares_than_are_free_cannot_be_sold() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(BUY, LG_CHEM, 10)
        locked = await desk.order(SELL, LG_CHEM, 6, 500_000)
        refused = await desk.order(SELL, LG_CHEM, 5, 500_000)
        on_paper = await desk.order(PAPER_SELL, LG_CHEM, 5, 500_000)
        sellable = await desk.account("TTTC8408R", "inquire-psbl-sell", PDNO=LG_CHEM)
    assert locked["rt_cd"] == "0"
    assert (refused["msg_cd"], on_paper["msg_cd"]) == ("APBK0400", "40240000")
    assert sellable["output"]["ord_psbl_qty"] == "4"
    assert sellable["output"]["cblc_qty"] == "10"


@pytest.mark.parametrize(
    ("clock", "real", "paper"),
    [
        ("07:59:59", "APBK0918", "40570000"),
        ("15:30", "APBK0918", "40580000"),
        ("23:00", "APBK0918", "40580000"),
    ],
)
async def test_outside_the_hours_orders_are_refused(clock: str, real: str, paper: str) -> None:
    async with a_desk() as desk:
        await desk.to(clock)
        assert (await desk.order(BUY, LG_CHEM, 1))["msg_cd"] == real
        assert (await desk.order(PAPER_BUY, LG_CHEM, 1))["msg_cd"] == paper


async def test_on_a_saturday_orders_are_refused_as_on_a_holiday() -> None:
    async with a_desk() as desk:
        await desk.to("10:00", date(2018, 1, 20))
        assert (await desk.order(BUY, LG_CHEM, 1))["msg_cd"] == "APBK0919"
        assert (await desk.order(PAPER_BUY, LG_CHEM, 1))["msg_cd"] == "40100000"


async def test_an_order_before_the_open_fills_at_the_opening_price() -> None:
    async with a_desk() as desk:
        await desk.to("08:30")
        market = (await desk.order(BUY, LG_CHEM, 3))["output"]["ODNO"]
        limit = (await desk.order(BUY, LG_CHEM, 2, 450_000))["output"]["ODNO"]
        low = (await desk.order(BUY, LG_CHEM, 1, 437_500))["output"]["ODNO"]
        await desk.to("08:59:59")
        assert (await desk.row(market))["tot_ccld_qty"] == "0"
        await desk.to("09:00")
        rows = [await desk.row(number) for number in (market, limit, low)]
    assert [(row["tot_ccld_qty"], row["avg_prvs"]) for row in rows] == [
        ("3", "438000"),
        ("2", "438000"),
        ("0", "0"),
    ]


async def test_an_order_in_the_closing_auction_fills_at_the_close() -> None:
    # LG Chem closed at 413,000 on 2018-01-16.
    async with a_desk() as desk:
        await desk.to("15:25")
        number = (await desk.order(BUY, LG_CHEM, 3))["output"]["ODNO"]
        assert (await desk.row(number))["tot_ccld_qty"] == "0"
        await desk.to("15:30")
        row = await desk.row(number)
        close = desk.simulator.simulation.market.history.bar(LG_CHEM, A_DAY)
    assert close is not None
    assert (row["tot_ccld_qty"], row["avg_prvs"]) == ("3", str(close.close))


async def test_a_conditional_limit_order_becomes_a_market_order_at_the_close() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        conditional = (await desk.order(BUY, LG_CHEM, 3, 306_000, "02"))["output"]["ODNO"]
        plain = (await desk.order(BUY, LG_CHEM, 3, 306_000))["output"]["ODNO"]
        await desk.to("15:30")
        rows = [await desk.row(number) for number in (conditional, plain)]
    assert [row["tot_ccld_qty"] for row in rows] == ["3", "0"]


async def test_ioc_takes_what_is_there_and_fok_all_or_nothing() -> None:
    async with a_desk(cash=10_000_000_000) as desk:
        await desk.to("09:10")
        book = await desk.quotation(
            "FHKST01010200", "inquire-asking-price-exp-ccn", FID_INPUT_ISCD=LG_CHEM
        )
        ask, size = int(book["output1"]["askp1"]), int(book["output1"]["askp_rsqn1"])
        too_much = (await desk.order(BUY, LG_CHEM, size + 1, ask, "12"))["output"]["ODNO"]
        part = (await desk.order(BUY, LG_CHEM, size + 1, ask, "11"))["output"]["ODNO"]
        rows = [await desk.row(number) for number in (too_much, part)]
    shown = [(row["tot_ccld_qty"], row["cncl_cfrm_qty"], row["rmn_qty"]) for row in rows]
    assert shown == [("0", str(size + 1), "0"), (str(size), "1", "0")]
    assert [row["ccld_cndt_name"] for row in rows] == ["FOK", "IOC"]


async def test_two_orders_do_not_take_the_same_shares_twice() -> None:
    async with a_desk(cash=10_000_000_000) as desk:
        await desk.to("09:10")
        call = ("FHKST01010200", "inquire-asking-price-exp-ccn")
        before = (await desk.quotation(*call, FID_INPUT_ISCD=LG_CHEM))["output1"]
        await desk.order(BUY, LG_CHEM, int(before["askp_rsqn1"]), int(before["askp1"]))
        after = (await desk.quotation(*call, FID_INPUT_ISCD=LG_CHEM))["output1"]
        again = (await desk.order(BUY, LG_CHEM, 1, int(before["askp1"]), "11"))["output"]["ODNO"]
        assert (await desk.row(again))["tot_ccld_qty"] == "0"
    assert after["askp1"] == before["askp2"]


async def test_best_price_orders_take_their_limit_from_the_book() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        book = (
            await desk.quotation(
                "FHKST01010200", "inquire-asking-price-exp-ccn", FID_INPUT_ISCD=LG_CHEM
            )
        )["output1"]
        theirs = (await desk.order(BUY, LG_CHEM, 1, division="03"))["output"]["ODNO"]
        ours = (await desk.order(BUY, LG_CHEM, 1, division="04"))["output"]["ODNO"]
        rows = [await desk.row(number) for number in (theirs, ours)]
    assert [row["tot_ccld_qty"] for row in rows] == ["1", "0"]
    assert rows[0]["avg_prvs"] == book["askp1"]


async def test_a_stop_limit_order_sleeps_until_its_trigger() -> None:
    # The day falls from 438,000 to its low; a sell stop at 430,000 wakes on the way.
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(BUY, LG_CHEM, 1)
        reply = await desk.post(
            SELL,
            "order-cash",
            PDNO=LG_CHEM,
            ORD_DVSN="22",
            ORD_QTY="1",
            ORD_UNPR="425000",
            CNDT_PRIC="430000",
        )
        number = reply.json()["output"]["ODNO"]
        asleep = await desk.row(number)
        await desk.to("15:00")
        row = await desk.row(number)
    assert (asleep["tot_ccld_qty"], asleep["stpm_cndt_pric"]) == ("0", "430000")
    assert row["tot_ccld_qty"] == "1"
    assert 425_000 <= int(row["avg_prvs"]) <= 430_000


async def test_off_hours_orders_trade_at_a_close() -> None:
    async with a_desk() as desk:
        await desk.to("07:40")
        before = (await desk.order(BUY, LG_CHEM, 1, division="05"))["output"]["ODNO"]
        await desk.to("15:45")
        after = (await desk.order(BUY, LG_CHEM, 1, division="06"))["output"]["ODNO"]
        rows = [await desk.row(number) for number in (before, after)]
        today = desk.simulator.simulation.market.history.bar(LG_CHEM, A_DAY)
    assert today is not None
    assert [row["avg_prvs"] for row in rows] == ["437000", str(today.close)]


@pytest.mark.parametrize("division", ["05", "06", "22", "41"])
async def test_paper_takes_nothing_off_hours_and_no_stops(division: str) -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        reply = await desk.order(PAPER_BUY, LG_CHEM, 1, 430_000, division)
    assert (reply["rt_cd"], reply["msg_cd"]) == ("1", "APBK0963")
