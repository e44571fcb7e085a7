"""This is what keeps the simulator's token office to KIS's rules: tokens, keys, approvals, hashes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from adapters.kis_sim.options import default_credential
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY, seoul
from tests.sim_clients import (
    ACCOUNT_FIELDS,
    BALANCE,
    BUY,
    PRICE,
    QUOTATIONS,
    a_desk,
)

PRICE_OF = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "051910"}


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
