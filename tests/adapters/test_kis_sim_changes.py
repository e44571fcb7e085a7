"""This is what happens to orders in the simulator later: changes, nights, taxes, and books that add up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.kis_sim.gateway import Mode
from tests.builders import A_DAY, seoul
from tests.sim_clients import (
    BALANCE,
    BUY,
    CHANGE,
    PAPER_BUY,
    PAPER_CHANGE,
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


def account(desk: Desk) -> dict[str, Any]:
    state: dict[str, Any] = desk.simulator.book()["accounts"][0]
    return state


async def test_a_modified_order_lives_on_under_a_new_number_without_its_fills(
    tmp_path: Path,
) -> None:
    async with a_desk(data=minute_file(tmp_path, FLAT_DAY), cash=10_000_000) as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, SAMSUNG, 60, 49_900))["output"]["ODNO"]
        await desk.to("10:30")
        reply = await desk.change(CHANGE, number, price=49_800)
        new = reply["output"]["ODNO"]
        old_row, new_row = await desk.row(number), await desk.row(new)
        await desk.to("12:00")
        untouched = await desk.row(new)
        again = await desk.change(CHANGE, number, price=49_700)
    assert reply["msg_cd"] == "APBK0013"
    assert new != number
    names = ("orgn_odno", "ord_qty", "ord_unpr", "tot_ccld_qty", "rmn_qty", "cncl_cfrm_qty")
    assert [old_row[name] for name in names] == ["", "60", "49900", "40", "0", "20"]
    assert [new_row[name] for name in names] == [number, "20", "49800", "0", "20", "0"]
    assert new_row["sll_buy_dvsn_cd_name"] == "매수정정*"
    assert untouched["tot_ccld_qty"] == "0"
    assert (again["rt_cd"], again["msg_cd"]) == ("7", "APBK0927")


async def test_a_modified_price_that_crosses_fills_at_once() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 2, 430_000))["output"]["ODNO"]
        book = await desk.quotation(
            "FHKST01010200", "inquire-asking-price-exp-ccn", FID_INPUT_ISCD=LG_CHEM
        )
        new = (await desk.change(CHANGE, number, price=450_000))["output"]["ODNO"]
        row = await desk.row(new)
    assert (row["tot_ccld_qty"], row["avg_prvs"]) == ("2", book["output1"]["askp1"])


async def test_a_modification_that_is_refused_leaves_the_order_as_it_was() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 2, 430_000))["output"]["ODNO"]
        off_grid = await desk.change(CHANGE, number, price=430_100)
        too_many = await desk.change(CHANGE, number, price=431_000, quantity=3)
        row = await desk.row(number)
    assert [reply["rt_cd"] for reply in (off_grid, too_many)] == ["7", "7"]
    assert (row["rmn_qty"], row["cncl_cfrm_qty"]) == ("2", "0")


async def test_a_cancel_has_a_row_and_a_number_of_its_own() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 5, 430_000))["output"]["ODNO"]
        part = (await desk.change(CHANGE, number, quantity=2))["output"]["ODNO"]
        open_row = await desk.row(number)
        rest = (await desk.change(CHANGE, number))["output"]["ODNO"]
        rows = [await desk.row(each) for each in (number, part, rest)]
        nothing = await desk.change(CHANGE, number)
        on_paper = await desk.change(PAPER_CHANGE, number)
        listed = await desk.account("TTTC0084R", "inquire-psbl-rvsecncl")
    assert (open_row["rmn_qty"], open_row["cncl_yn"]) == ("3", "")
    names = ("orgn_odno", "ord_qty", "cncl_cfrm_qty", "rmn_qty", "cncl_yn")
    assert [[row[name] for name in names] for row in rows] == [
        ["", "5", "5", "0", "Y"],
        [number, "2", "2", "0", "Y"],
        [number, "3", "3", "0", "Y"],
    ]
    assert (nothing["rt_cd"], nothing["msg_cd"]) == ("7", "APBK0927")
    assert (on_paper["rt_cd"], on_paper["msg_cd"]) == ("1", "40330000")
    assert listed["output"] == []


async def test_a_filled_order_cannot_be_canceled_and_an_unknown_one_neither() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 1))["output"]["ODNO"]
        filled = await desk.change(CHANGE, number)
        unknown = await desk.change(CHANGE, "0000099999")
    assert filled["msg_cd"] == "APBK0927"
    assert unknown["msg_cd"] == "APBK1663"


async def test_order_numbers_are_found_without_their_zeros() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 1, 430_000))["output"]["ODNO"]
        assert (await desk.change(CHANGE, number.lstrip("0")))["rt_cd"] == "0"


async def test_paper_names_its_changes() -> None:
    async with a_desk(mode=Mode.PAPER) as desk:
        await desk.to("09:10")
        number = (await desk.order(PAPER_BUY, LG_CHEM, 1, 430_000))["output"]["ODNO"]
        modified = await desk.change(PAPER_CHANGE, number, price=429_000)
        canceled = await desk.change(PAPER_CHANGE, modified["output"]["ODNO"])
    assert (modified["msg_cd"], canceled["msg_cd"]) == ("40620000", "40630000")


async def test_numbers_start_again_every_day_and_old_ones_are_not_mixed_up() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        first = (await desk.order(BUY, LG_CHEM, 1, 430_000))["output"]["ODNO"]
        tomorrow = A_DAY + timedelta(days=1)
        await desk.to("09:10", tomorrow)
        second = (await desk.order(BUY, LG_CHEM, 2, 400_000))["output"]["ODNO"]
        (row,) = await desk.rows()
        both = await desk.rows(INQR_STRT_DT="20180116")
    assert first == second
    assert row["ord_qty"] == "2"
    assert [each["ord_dt"] for each in both] == ["20180117", "20180116"]


async def test_a_sold_out_row_stays_until_it_has_settled() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(BUY, LG_CHEM, 1)
        await desk.order(SELL, LG_CHEM, 1)
        seen = []
        for day in (16, 17, 18, 19):
            await desk.to("16:00", date(2018, 1, day))
            seen.append(
                [
                    (row["hldg_qty"], row["bfdy_buy_qty"], row["thdt_buyqty"])
                    for row in (await desk.account(BALANCE, "inquire-balance"))["output1"]
                ]
            )
    assert seen == [[("0", "0", "1")], [("0", "1", "0")], [("0", "0", "0")], []]


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2019, 5, 29), 30),  # settles on 31 May: 0.30 %
        (date(2019, 5, 30), 25),  # settles on 3 June: 0.25 %
    ],
)
async def test_the_tax_is_that_of_the_settlement_day(day: date, rate: int) -> None:
    async with a_desk(day=day) as desk:
        await desk.to("10:00", day)
        await desk.order(BUY, CELLTRION, 1)
        await desk.order(SELL, CELLTRION, 1)
        _, sale = account(desk)["fills"]
    # KOSPI taxes in two parts that are each cut to whole won, hence up to one won less.
    assert 0 <= sale["price"] * rate // 10_000 - sale["tax"] <= 1
    assert sale["tax"] > 0


async def test_nothing_fills_for_a_buyer_while_the_price_is_locked_at_the_limit(
    tmp_path: Path,
) -> None:
    rows = [
        ("005930", "2018-01-15 09:00", 50_000, 50_000, 50_000, 50_000, 1_000_000),
        ("005930", "2018-01-16 09:00", 65_000, 65_000, 65_000, 65_000, 1_000),
        ("005930", "2018-01-16 10:00", 65_000, 65_000, 65_000, 65_000, 1_000),
        ("005930", "2018-01-16 11:00", 64_900, 64_900, 64_900, 64_900, 1_000),
    ]
    async with a_desk(data=minute_file(tmp_path, rows)) as desk:
        await desk.to("09:30")
        number = (await desk.order(BUY, SAMSUNG, 1))["output"]["ODNO"]
        await desk.to("10:30")
        locked = (await desk.row(number))["tot_ccld_qty"]
        quote = await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=SAMSUNG)
        await desk.to("11:30")
        freed = (await desk.row(number))["tot_ccld_qty"]
    assert (locked, freed) == ("0", "1")
    assert quote["output"]["prdy_vrss_sign"] == "1"


async def test_a_reserved_order_is_sent_at_the_next_opening() -> None:
    async with a_desk() as desk:
        await desk.to("16:30", date(2018, 1, 15) + timedelta(days=1))
        fields = {
            "PDNO": LG_CHEM,
            "ORD_QTY": "2",
            "ORD_UNPR": "0",
            "SLL_BUY_DVSN_CD": "02",
            "ORD_DVSN_CD": "01",
            "ORD_OBJT_CBLC_DVSN_CD": "10",
        }
        kept = (await desk.post("CTSC0008U", "order-resv", **fields)).json()
        other = (await desk.post("CTSC0008U", "order-resv", **fields)).json()
        sequence = other["output"]["RSVN_ORD_SEQ"]
        dropped = await desk.post("CTSC0009U", "order-resv-rvsecncl", RSVN_ORD_SEQ=sequence)
        await desk.to("09:30", date(2018, 1, 17))
        by_day = (await desk.post("CTSC0008U", "order-resv", **fields)).json()
        listed = await desk.account("CTSC0004R", "order-resv-ccnl", RSVN_ORD_ORD_DT="20180116")
        (row,) = await desk.rows()
    assert kept["msg_cd"] == "APBK2938"
    assert dropped.json()["output"] == {"nrml_prcs_yn": "Y"}
    assert by_day["msg_cd"] == "KIER3672"
    assert [each["prcs_rslt"] for each in listed["output"]] == ["처리", "취소"]
    assert (row["ord_qty"], row["tot_ccld_qty"]) == ("2", "2")


async def test_orders_by_hand_share_the_account_and_name_their_channel() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        order = {"symbol": LG_CHEM, "side": "BUY", "quantity": 3, "price": 430_000}
        placed = (await desk.http.post("/sim/orders", json=order)).json()
        row = await desk.row(placed["number"])
        refused = await desk.http.post("/sim/orders", json=order | {"price": 430_100})
        strange = await desk.http.post("/sim/orders", json=order | {"qty": 3})
    assert row["ordr_empno"] != "OpnAPI"
    assert row["ord_qty"] == "3"
    assert (refused.status_code, refused.json()["reason"]) == (409, "TICK")
    assert strange.status_code == 422


@pytest.mark.parametrize("seed", [1, 20260922])
async def test_whatever_is_ordered_the_books_add_up(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - which orders, no secrets
    async with a_desk(cash=50_000_000) as desk:
        at = seoul(A_DAY, "08:30")
        for _ in range(80):
            at += timedelta(minutes=random.randint(1, 25))
            await desk.simulator.advance_to(at)
            symbol = random.choice((LG_CHEM, SAMSUNG, CELLTRION))
            numbers = [order["number"] for order in account(desk)["orders"][-5:]]
            if numbers and random.random() < 0.3:
                price = random.choice((0, 400_000, 430_000))
                await desk.change(CHANGE, random.choice(numbers), price=price)
            else:
                price = random.choice((0, 0, 48_000, 49_500, 340_000, 425_000))
                await desk.order(random.choice((BUY, SELL)), symbol, random.randint(1, 90), price)
            _check_books(account(desk), 50_000_000)


def _check_books(state: dict[str, Any], start: int) -> None:
    for order in state["orders"]:
        parts = ("filled_quantity", "open_quantity", "canceled_quantity", "rejected_quantity")
        assert order["quantity"] == sum(order[part] for part in parts)
        assert min(order[part] for part in parts) >= 0
    signs = {"BUY": 1, "SELL": -1}
    fills = state["fills"]
    paid = sum(
        signs[fill["side"]] * fill["price"] * fill["quantity"] + fill["commission"] + fill["tax"]
        for fill in fills
    )
    assert state["cash"]["after_settlement"] == start - paid
    assert state["cash"]["available"] >= 0
    for position in state["positions"]:
        own = [fill for fill in fills if fill["symbol"] == position["symbol"]]
        assert position["quantity"] == sum(signs[f["side"]] * f["quantity"] for f in own)
    by_order = {(order["trading_day"], order["number"]): 0 for order in state["orders"]}
    for fill in fills:
        by_order[fill["trading_day"], fill["number"]] += fill["quantity"]
    for order in state["orders"]:
        key = (order["trading_day"], order["number"])
        assert by_order[key] == order["filled_quantity"]
