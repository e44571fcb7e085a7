"""This is what keeps the simulator's HTTP as KIS speaks it: spelling, shapes, errors, pace."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from adapters.kis_sim.calls import CALLS
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY
from tests.sim_clients import (
    BALANCE,
    BUY,
    PRICE,
    QUOTATIONS,
    ROWS,
    TRADING,
    Desk,
    a_desk,
)

PRICE_OF = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "051910"}


async def raw_answer(desk: Desk, target: str, tr: str) -> list[str]:
    """Return the header lines of an answer as they are on the wire."""
    address = httpx.URL(desk.simulator.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", f"tr_id: {tr}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in desk.headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer.partition("\r\n\r\n")[0].split("\r\n")


async def test_standard_headers_are_title_case_and_those_of_kis_lower_case() -> None:
    query = "&".join(f"{name}={value}" for name, value in PRICE_OF.items())
    async with a_desk() as desk:
        status, *headers = await raw_answer(desk, f"{QUOTATIONS}/inquire-price?{query}", PRICE)
    names = [line.partition(":")[0] for line in headers]
    assert status == "HTTP/1.1 200 OK"
    assert {"tr_id", "tr_cont", "gt_uid"} <= set(names)
    rest = set(names) - {"tr_id", "tr_cont", "gt_uid"}
    assert {"Content-Type", "Content-Length", "Date", "Server"} <= rest
    assert all(name == name.title() for name in rest)
    assert f"tr_id: {PRICE}" in headers


async def test_every_answer_has_message_code_and_text() -> None:
    async with a_desk() as desk:
        for body in (
            await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD="051910"),
            await desk.account(BALANCE, "inquire-balance"),
            await desk.order(BUY, "051910", 1, 430_000),
        ):
            assert len(body["msg_cd"]) == 8
            assert body["msg1"]


async def test_repeated_slashes_and_small_query_names_are_understood() -> None:
    async with a_desk() as desk:
        fields = {name.lower(): value for name, value in PRICE_OF.items()}
        reply = await desk.get(PRICE, f"/{QUOTATIONS.replace('/', '//')}//inquire-price", **fields)
    assert reply.json()["output"]["stck_prpr"] == "437000"


async def test_the_tr_id_chooses_the_call_whatever_the_path() -> None:
    async with a_desk() as desk:
        body = await desk.account("TTTC8908R", "inquire-daily-ccld", PDNO="", ORD_UNPR="")
    assert body["output"]["ord_psbl_cash"] == "100000000"


async def test_unknown_body_keys_are_ignored_and_the_exchange_is_optional() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        fields = {"PDNO": "051910", "ORD_DVSN": "00", "ORD_QTY": "1", "ORD_UNPR": "430000"}
        reply = await desk.post(BUY, "order-cash", CTAC_TLNO="", ALGO_NO="", ODD="x", **fields)
    assert reply.json()["rt_cd"] == "0"


async def test_custtype_is_optional_but_must_be_a_known_one() -> None:
    async with a_desk() as desk:
        for given, code in (
            ("", "MCA00000"),
            ("P", "MCA00000"),
            ("B", "MCA00000"),
            ("X", "EGW00208"),
        ):
            desk.headers["custtype"] = given
            body = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD="051910")
            assert body["msg_cd"] == code


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


async def test_shapes_are_those_of_kis_and_every_value_is_text() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        order = await desk.order(BUY, "051910", 1)
        balance = await desk.account(BALANCE, "inquire-balance")
        today = f"{A_DAY:%Y%m%d}"
        rows = await desk.account(ROWS, "inquire-daily-ccld", INQR_STRT_DT=today, INQR_END_DT=today)
    assert set(order["output"]) == {"KRX_FWDG_ORD_ORGNO", "ODNO", "ORD_TMD", "SOR_ODNO"}
    assert isinstance(balance["output2"], list)
    assert len(balance["output2"]) == 1
    assert isinstance(rows["output2"], dict)
    assert all(isinstance(leaf, str) for body in (order, balance, rows) for leaf in leaves(body))


async def test_every_documented_field_of_a_reply_is_there() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(BUY, "051910", 1)
        body = await desk.account(BALANCE, "inquire-balance")
    blanks = CALLS["inquire-balance"].blanks
    assert list(body["output1"][0]) == list(blanks["output1"])
    assert list(body["output2"][0]) == list(blanks["output2"])


@pytest.mark.parametrize("call", [name for name, each in CALLS.items() if each.needs])
async def test_a_missing_parameter_is_named_in_json(call: str) -> None:
    wanted = CALLS[call]
    async with a_desk() as desk:
        for tr in wanted.trs[Environment.REAL][:1]:
            headers = desk.headers | {"tr_id": tr}
            path = f"/uapi/domestic-stock/v1/{wanted.path}"
            reply = await desk.http.request(
                wanted.method,
                path,
                headers=headers,
                json={} if wanted.is_order else None,
            )
            assert reply.json()["msg_cd"] == "OPSQ2001"
            assert wanted.needs[0] in reply.json()["msg1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/oauth2/tokenP", 404),
        ("POST", "/oauth2/tokenP", 400),
        ("DELETE", "/sim/clock", 404),
        ("POST", "/sim/clock", 422),
        ("PUT", "/sim/faults", 422),
        ("GET", "/uapi/nowhere", 500),
    ],
)
async def test_errors_are_json_never_a_page(method: str, path: str, status: int) -> None:
    async with a_desk() as desk:
        reply = await desk.http.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json()


async def test_an_order_must_be_json_and_sent_as_json() -> None:
    async with a_desk() as desk:
        url, headers = f"{TRADING}/order-cash", desk.headers | {"tr_id": BUY}
        form = await desk.http.post(url, data={"PDNO": "051910"}, headers=headers)
        broken = await desk.http.post(
            url, content="{", headers=headers | {"content-type": "application/json"}
        )
    assert form.json()["msg_cd"] == "EGW00132"
    assert broken.json()["msg_cd"] == "EGW00101"


async def test_an_unknown_account_is_refused() -> None:
    async with a_desk() as desk:
        body = await desk.account(BALANCE, "inquire-balance", CANO="99999999")
    assert (body["rt_cd"], body["msg_cd"]) == ("1", "OPSQ2000")


async def test_calls_above_the_pace_are_refused_for_about_a_second() -> None:
    async with a_desk(is_paced=True, rate_limit=5) as desk:
        replies = [
            await desk.get(PRICE, f"{QUOTATIONS}/inquire-price", **PRICE_OF) for _ in range(7)
        ]
        await asyncio.sleep(1.05)
        after = await desk.get(PRICE, f"{QUOTATIONS}/inquire-price", **PRICE_OF)
    codes = [reply.json()["msg_cd"] for reply in replies]
    assert codes.count("EGW00201") == 2
    assert {reply.status_code for reply in replies} == {200, 500}
    assert after.status_code == 200


async def test_the_pace_is_eighteen_on_real_and_one_on_paper() -> None:
    async with a_desk(is_paced=True) as real, a_desk(is_paced=True, mode=Mode.PAPER) as paper:
        assert real.simulator.options.calls_per_second == 18
        assert paper.simulator.options.calls_per_second == 1
