"""This is what keeps the simulator's HTTP as KIS speaks it: spelling, tokens, modes, paging, errors."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.kis_sim.calls import CALLS
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import default_credential
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY, seoul
from tests.sim_clients import (
    ACCOUNT_FIELDS,
    BALANCE,
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


# --- tokens -------------------------------------------------------------------------------------------


async def test_a_token_is_a_day_long_and_its_expiry_is_told_in_seoul() -> None:
    async with a_desk(token_interval=0) as desk:
        body = (await desk.ask_token()).json()
    del body["access_token"]
    assert body == {
        "access_token_token_expired": "2018-01-17 06:00:00",
        "token_type": "Bearer",
        "expires_in": 86_400,
    }


async def test_within_six_hours_the_same_token_comes_again_and_later_a_new_one() -> None:
    async with a_desk() as desk:
        first = desk.headers["authorization"].removeprefix("Bearer ")
        await desk.to("11:59:59")
        again = (await desk.ask_token()).json()
        await desk.to("13:00:00")
        later = (await desk.ask_token()).json()
    assert again["access_token"] == first
    assert again["expires_in"] == 86_400 - (6 * 3600 - 1)
    assert later["access_token"] != first


async def test_a_second_token_within_a_minute_is_refused_with_names_of_its_own() -> None:
    async with a_desk() as desk:
        refused = await desk.ask_token()
        await desk.to("06:01")
        granted = await desk.ask_token()
    assert refused.status_code == 403
    assert set(refused.json()) == {"error_code", "error_description"}
    assert refused.json()["error_code"] == "EGW00133"
    assert granted.status_code == 200


async def test_a_token_request_may_come_without_content_type_charset_or_any() -> None:
    async with a_desk(token_interval=0) as desk:
        key = desk.credential
        body = {
            "grant_type": "client_credentials",
            "appkey": key.appkey,
            "appsecret": key.appsecret,
        }
        for headers in ({"content-type": "application/json"}, {"content-type": "text/plain"}, {}):
            reply = await desk.http.post(
                "/oauth2/tokenP", content=json.dumps(body), headers=headers
            )
            assert reply.status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "status", "code"),
    [
        ("appkey", "P" * 36, 403, "EGW00103"),
        ("appsecret", "s" * 180, 403, "EGW00105"),
        ("appkey", "", 400, "EGW00102"),
        ("appsecret", "", 400, "EGW00104"),
        ("grant_type", "password", 400, "EGW00114"),
    ],
)
async def test_wrong_keys_get_no_token(field: str, value: str, status: int, code: str) -> None:
    async with a_desk() as desk:
        key = desk.credential
        good = {
            "grant_type": "client_credentials",
            "appkey": key.appkey,
            "appsecret": key.appsecret,
        }
        reply = await desk.http.post("/oauth2/tokenP", json=good | {field: value})
    assert (reply.status_code, reply.json()["error_code"]) == (status, code)


async def test_the_made_up_keys_have_the_lengths_that_clients_check() -> None:
    for world in Environment:
        assert len(default_credential(world).appkey) == 36
        assert len(default_credential(world).appsecret) == 180


async def test_a_revoked_token_is_not_accepted_and_the_next_one_is_new() -> None:
    async with a_desk(token_interval=0) as desk:
        token = desk.headers["authorization"].removeprefix("Bearer ")
        key = {"appkey": desk.credential.appkey, "appsecret": desk.credential.appsecret}
        reply = await desk.http.post("/oauth2/revokeP", json=key | {"token": token})
        refused = await desk.account(BALANCE, "inquire-balance")
        new = (await desk.ask_token()).json()["access_token"]
    assert reply.json()["code"] == 200
    assert refused["msg_cd"] == "EGW00121"
    assert new != token


async def test_a_token_expires_after_a_day() -> None:
    async with a_desk() as desk:
        await desk.simulator.advance_to(seoul(A_DAY, "05:59:59") + timedelta(days=1))
        assert (await desk.account(BALANCE, "inquire-balance"))["rt_cd"] == "0"
        await desk.simulator.advance_to(seoul(A_DAY, "06:00:00") + timedelta(days=1))
        assert (await desk.account(BALANCE, "inquire-balance"))["msg_cd"] == "EGW00123"


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("authorization", "", 500, "EGW00122"),
        ("authorization", "Basic abc", 500, "EGW00205"),
        ("authorization", "Bearer abc", 500, "EGW00121"),
        ("appkey", "", 400, "EGW00102"),
        ("appkey", "P" * 36, 403, "EGW00103"),
        ("appsecret", "", 400, "EGW00104"),
        ("appsecret", "x", 403, "EGW00105"),
    ],
)
async def test_wrong_headers_are_refused(name: str, value: str, status: int, code: str) -> None:
    async with a_desk() as desk:
        desk.headers[name] = value
        reply = await desk.get(PRICE, f"{QUOTATIONS}/inquire-price", **PRICE_OF)
    assert (reply.status_code, reply.json()["msg_cd"]) == (status, code)
    assert reply.json()["rt_cd"] == "1"


async def test_an_approval_key_has_the_form_of_a_uuid() -> None:
    async with a_desk() as desk:
        approval = await desk.approval()
    assert len(approval) == 36
    assert approval.count("-") == 4


async def test_the_hash_of_a_body_is_given_and_a_wrong_one_refused() -> None:
    fields = {"PDNO": "051910", "ORD_DVSN": "00", "ORD_QTY": "1", "ORD_UNPR": "430000"}
    async with a_desk() as desk:
        await desk.to("09:10")
        hashed = await desk.http.post(
            "/uapi/hashkey", json=ACCOUNT_FIELDS | fields, headers=desk.headers
        )
        assert hashed.json()["BODY"] == ACCOUNT_FIELDS | fields
        desk.headers["hashkey"] = hashed.json()["HASH"]
        accepted = await desk.post(BUY, "order-cash", **fields)
        refused = await desk.post(BUY, "order-cash", **fields | {"ORD_QTY": "2"})
    assert accepted.json()["rt_cd"] == "0"
    assert refused.json()["msg_cd"] == "EGW00131"
    assert len(desk.simulator.book()["accounts"][0]["orders"]) == 1


# --- worlds --------------------------------------------------------------------------------------------


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


# --- paging --------------------------------------------------------------------------------------------


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


# --- shapes and errors ---------------------------------------------------------------------------------


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
