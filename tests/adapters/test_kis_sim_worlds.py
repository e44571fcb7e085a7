"""This is what keeps real and paper apart in the simulator, and its lists in pages."""

from __future__ import annotations

import httpx
import pytest

from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import default_credential
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY
from tests.sim_clients import (
    ACCOUNT_FIELDS,
    BUY,
    PAPER_BUY,
    PAPER_ROWS,
    PRICE,
    QUOTATIONS,
    ROWS,
    TRADING,
    Desk,
    a_desk,
)

PRICE_OF = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "051910"}


async def test_both_worlds_answer_on_one_port_old_ids_and_new() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        replies = [
            await desk.order(tr, "051910", 1, 430_000)
            for tr in ("TTTC0012U", "TTTC0802U", "VTTC0012U", "VTTC0802U")
        ]
        listed = [len(await desk.rows(tr)) for tr in (ROWS, "TTTC8001R", PAPER_ROWS, "VTTC8001R")]
    assert [reply["msg_cd"] for reply in replies] == ["APBK0013"] * 2 + ["40600000"] * 2
    assert [reply["output"]["KRX_FWDG_ORD_ORGNO"] for reply in replies] == (
        ["03930"] * 2 + ["00950"] * 2
    )
    assert ["SOR_ODNO" in reply["output"] for reply in replies] == [True, True, False, False]
    assert listed == [4, 4, 4, 4]


@pytest.mark.parametrize(
    ("tr", "call", "code"),
    [
        ("TTTC8434R", "inquire-balance", "EGW02006"),
        ("TTTC0084R", "inquire-psbl-rvsecncl", "EGW02006"),
        ("CTSC0004R", "order-resv-ccnl", "IGW00009"),
        ("VTTC9999R", "inquire-balance", "EGW00310"),
        ("VTTC8434R", "inquire-balance", "KIOK0510"),
    ],
)
async def test_paper_refuses_what_is_not_its_own(tr: str, call: str, code: str) -> None:
    async with a_desk(mode=Mode.PAPER) as desk:
        assert (await desk.account(tr, call))["msg_cd"] == code


async def test_real_refuses_the_ids_of_paper() -> None:
    async with a_desk(mode=Mode.REAL) as desk:
        reply = await desk.get("VTTC8434R", f"{TRADING}/inquire-balance", **ACCOUNT_FIELDS)
    assert (reply.status_code, reply.json()["msg_cd"]) == (500, "EGW02004")


@pytest.mark.parametrize(
    ("mode", "other", "code"),
    [
        (Mode.REAL, Environment.PAPER, "EGW02004"),
        (Mode.PAPER, Environment.REAL, "EGW02007"),
    ],
)
async def test_the_other_worlds_key_is_refused_even_for_a_quote(
    mode: Mode, other: Environment, code: str
) -> None:
    async with a_desk(mode=mode) as desk:
        desk.credential = default_credential(other)
        await desk.sign_in()
        body = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD="051910")
    assert body["msg_cd"] == code


async def test_refusals_carry_the_code_of_their_world() -> None:
    async with a_desk() as desk:
        real = await desk.order(BUY, "051910", 1, 430_000)
        paper = await desk.order(PAPER_BUY, "051910", 1, 430_000)
    assert (real["rt_cd"], real["msg_cd"]) == ("7", "APBK0918")
    assert (paper["rt_cd"], paper["msg_cd"]) == ("1", "40570000")
    assert "output" not in real


async def page(desk: Desk, tr: str, tr_cont: str = "", **fields: str) -> httpx.Response:
    desk.headers["tr_cont"] = tr_cont
    today = f"{A_DAY:%Y%m%d}"
    dates = {"INQR_STRT_DT": today, "INQR_END_DT": today, "CCLD_DVSN": "00", "INQR_DVSN": "00"}
    return await desk.get(tr, f"{TRADING}/inquire-daily-ccld", **ACCOUNT_FIELDS | dates | fields)


async def test_pages_say_m_then_d_and_their_keys_are_a_hundred_wide() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        for _ in range(17):
            await desk.order(BUY, "051910", 1, 430_000)
        first = await page(desk, PAPER_ROWS)
        keys = {name: first.json()[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
        # A new row in between shifts nothing, and the key alone is enough: no tr_cont N, small names.
        await desk.order(BUY, "051910", 1, 430_000)
        second = await page(desk, PAPER_ROWS, "", **keys)
        third = await page(desk, PAPER_ROWS, "N", **{k.upper(): v for k, v in keys.items()})
    assert [reply.headers["tr_cont"] for reply in (first, second, third)] == ["M", "D", "D"]
    assert all(len(value) == 100 for value in keys.values())
    assert keys["ctx_area_nk100"].strip()
    assert second.json()["ctx_area_nk100"] == " " * 100
    numbers = [row["odno"] for reply in (first, second) for row in reply.json()["output1"]]
    assert numbers == [f"{number:010d}" for number in range(1017, 1000, -1)]
    assert second.json()["output1"] == third.json()["output1"]


async def test_calls_that_do_not_page_carry_the_header_too() -> None:
    async with a_desk() as desk:
        reply = await desk.get(PRICE, f"{QUOTATIONS}/inquire-price", **PRICE_OF)
    assert reply.headers["tr_cont"] == ""


async def test_an_empty_list_is_a_success_with_its_own_code() -> None:
    async with a_desk() as desk:
        real, paper = await page(desk, ROWS), await page(desk, PAPER_ROWS)
    assert [reply.json()["msg_cd"] for reply in (real, paper)] == ["KIOK0560", "70070000"]
    assert [reply.json()["rt_cd"] for reply in (real, paper)] == ["0", "0"]
    assert real.headers["tr_cont"] == "D"
