"""This is the simulator's table of faults, and those of tokens, gateway, replies and order rows, struck once."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.kis_sim.faults import FaultTable
from tests.sim_clients import BALANCE, BUY, CHANGE, PAPER_BUY, PRICE, ROWS, Desk, a_desk

LG_CHEM = "051910"
TRADES, NOTICES, OPERATION = "H0STCNT0", "H0STCNI0", "H0STMKO0"


def orders(desk: Desk) -> list[dict[str, Any]]:
    """Return the true orders."""
    found: list[dict[str, Any]] = desk.simulator.book()["accounts"][0]["orders"]
    return found


async def quote(desk: Desk) -> dict[str, str]:
    body = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD=LG_CHEM)
    output: dict[str, str] = body["output"]
    return output


async def test_the_table_is_replaced_changed_and_shown() -> None:
    async with a_desk() as desk:
        put = await desk.http.put("/sim/faults", json={"halt": True, "no_notice": {"count": 2}})
        patch = await desk.http.patch(
            "/sim/faults", json={"halt": None, "partial_fills": {"max_quantity": 7}}
        )
        shown = await desk.http.get("/sim/faults")
        empty = await desk.http.put("/sim/faults", json={})
    assert set(put.json()) == {"halt", "no_notice"}
    assert set(patch.json()) == {"no_notice", "partial_fills"}
    assert shown.json() == patch.json()
    assert shown.json()["partial_fills"]["max_quantity"] == 7
    assert empty.json() == {}


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"halted": True}, "halted"),
        ({"halt": {"symbol": "051910"}}, "halt.symbol"),
        ({"throttled": {"http": 429}}, "throttled.http"),
        ({"partial_fills": {"max_quantity": 0}}, "partial_fills.max_quantity"),
        ({"no_notice": {"count": "many"}}, "no_notice.count"),
    ],
)
async def test_unknown_names_and_wrong_values_are_refused_and_change_nothing(
    table: dict[str, Any], named: str
) -> None:
    async with a_desk() as desk:
        for method in ("PUT", "PATCH"):
            reply = await desk.http.request(method, "/sim/faults", json=table)
            assert reply.status_code == 422
            assert reply.json()["error"].startswith(f"{named}=")
        assert (await desk.http.get("/sim/faults")).json() == {}


async def test_a_fault_with_a_count_strikes_so_often_and_then_is_over() -> None:
    async with a_desk() as desk:
        await desk.fault(throttled={"count": 2})
        codes = [(await desk.account(BALANCE, "inquire-balance"))["msg_cd"] for _ in range(3)]
        left = (await desk.http.get("/sim/faults")).json()
    assert codes == ["EGW00201", "EGW00201", "KIOK0510"]
    assert left == {}


async def test_filters_by_symbol_and_tr_narrow_a_fault() -> None:
    async with a_desk() as desk:
        await desk.fault(throttled={"symbols": [LG_CHEM], "trs": ["inquire-price"]})
        struck = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD=LG_CHEM)
        other = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD="005930")
        call = await desk.account(BALANCE, "inquire-balance")
    assert [body["msg_cd"] for body in (struck, other, call)] == [
        "EGW00201",
        "MCA00000",
        "KIOK0510",
    ]


async def test_faults_can_be_given_at_the_start() -> None:
    async with a_desk(faults=FaultTable.model_validate({"market_closed": True})) as desk:
        await desk.to("09:10")
        assert (await desk.order(BUY, LG_CHEM, 1))["msg_cd"] == "APBK0918"


def test_every_fault_of_the_table_is_struck_here() -> None:
    files = (Path(__file__), Path(__file__).with_name("test_kis_sim_market_faults.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in FaultTable.model_fields if f"{name}=" not in text] == []


async def test_the_token_interval_can_be_switched() -> None:
    async with a_desk(token_interval=0) as desk:
        assert (await desk.ask_token()).status_code == 200
        await desk.fault(token_interval={"seconds": 60})
        assert (await desk.ask_token()).json()["error_code"] == "EGW00133"


async def test_the_same_token_rule_can_be_switched_off() -> None:
    async with a_desk(token_interval=0) as desk:
        first, second = await desk.ask_token(), await desk.ask_token()
        await desk.fault(same_token={"hours": 0})
        third = await desk.ask_token()
    tokens = [reply.json()["access_token"] for reply in (first, second, third)]
    assert tokens[0] == tokens[1] != tokens[2]


async def test_an_expired_token_is_refused_until_a_new_one_is_asked_for() -> None:
    async with a_desk(token_interval=0) as desk:
        await desk.fault(expired_token=True)
        refused = await desk.account(BALANCE, "inquire-balance")
        await desk.sign_in()
        accepted = await desk.account(BALANCE, "inquire-balance")
    assert refused["msg_cd"] == "EGW00123"
    assert accepted["rt_cd"] == "0"


@pytest.mark.parametrize("status", [500, 200])
async def test_throttling_comes_as_either_status_and_nothing_is_routed(status: int) -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(throttled={"http": status, "trs": ["order-cash"]})
        reply = await desk.post(
            BUY, "order-cash", PDNO=LG_CHEM, ORD_DVSN="01", ORD_QTY="1", ORD_UNPR="0"
        )
        assert orders(desk) == []
    assert reply.status_code == status
    assert reply.json()["rt_cd"] == "1"
    assert reply.json()["msg_cd"] == "EGW00201"


@pytest.mark.parametrize("status", [500, 200])
async def test_the_ledger_throttles_account_calls_only(status: int) -> None:
    async with a_desk() as desk:
        await desk.fault(ledger_throttled={"http": status})
        reply = await desk.get(
            BALANCE,
            "/uapi/domestic-stock/v1/trading/inquire-balance",
            CANO="50012345",
            ACNT_PRDT_CD="01",
        )
        assert (await quote(desk))["stck_prpr"] == "437000"
    assert (reply.status_code, reply.json()["msg_cd"]) == (status, "EGW00215")
    assert "output1" not in reply.json()


async def test_a_time_out_is_told_though_the_order_is_in() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(timeout_after_accept={"count": 1})
        reply = await desk.post(
            BUY, "order-cash", PDNO=LG_CHEM, ORD_DVSN="01", ORD_QTY="1", ORD_UNPR="0"
        )
        assert [order["filled_quantity"] for order in orders(desk)] == [1]
    assert (reply.status_code, reply.json()["msg_cd"]) == (500, "EGW00302")


async def test_a_reply_is_lost_though_the_order_is_in() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(reply_lost={"count": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            await desk.order(BUY, LG_CHEM, 1)
        assert len(orders(desk)) == 1
        assert len(await desk.rows()) == 1


async def test_the_reply_of_a_refused_order_is_not_lost() -> None:
    async with a_desk() as desk:
        await desk.fault(reply_lost=True)
        assert (await desk.order(BUY, LG_CHEM, 1))["msg_cd"] == "APBK0918"


async def test_a_lost_reply_of_a_cancel_leaves_the_order_canceled() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 1, 430_000))["output"]["ODNO"]
        await desk.fault(reply_lost={"symbols": [LG_CHEM]})
        with pytest.raises(httpx.RemoteProtocolError):
            await desk.change(CHANGE, number)
        assert (await desk.row(number))["cncl_cfrm_qty"] == "1"


async def test_a_reply_comes_late() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(reply_delayed={"seconds": 0.3, "count": 1})
        started = time.monotonic()
        await desk.order(BUY, LG_CHEM, 1)
        late = time.monotonic() - started
        await quote(desk)
    assert late >= 0.3


async def test_a_late_read_needs_to_be_named() -> None:
    async with a_desk() as desk:
        await desk.fault(reply_delayed={"seconds": 0.3, "trs": [PRICE]})
        started = time.monotonic()
        await quote(desk)
    assert time.monotonic() - started >= 0.3


async def test_rows_lag_behind_the_acceptance() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(orders_lag={"seconds": 10})
        await desk.order(BUY, LG_CHEM, 1)
        before = await desk.rows()
        await desk.to("09:10:10")
        after = await desk.rows()
    assert (len(before), len(after)) == (0, 1)


async def test_the_totals_tell_nothing_of_a_row_that_lags() -> None:
    today = {"INQR_STRT_DT": "20180116", "INQR_END_DT": "20180116"}
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(orders_lag={"seconds": 10})
        await desk.order(BUY, LG_CHEM, 2)
        before = (await desk.account(ROWS, "inquire-daily-ccld", **today))["output2"]
        await desk.to("09:10:10")
        after = (await desk.account(ROWS, "inquire-daily-ccld", **today))["output2"]
    assert (before["tot_ord_qty"], after["tot_ord_qty"]) == ("0", "2")


async def test_lagging_rows_come_by_real_time_too_while_the_clock_stands() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(orders_lag={"seconds": 0.2})
        await desk.order(BUY, LG_CHEM, 1)
        assert await desk.rows() == []
        await asyncio.sleep(0.25)
        assert len(await desk.rows()) == 1


async def test_every_row_may_lag_for_a_time_of_its_own() -> None:
    shown = []
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(orders_lag={"seconds": 300, "seed": 7})
        for _ in range(8):
            await desk.order(BUY, "005930", 1)
        for clock in ("09:10", "09:11", "09:12", "09:13", "09:14", "09:15"):
            await desk.to(clock)
            shown.append({row["odno"] for row in await desk.rows()})
    assert len({len(numbers) for numbers in shown}) > 3, "the rows came one after the other"
    assert all(earlier <= later for earlier, later in pairwise(shown))
    assert len(shown[-1]) == 8


async def test_the_newest_row_is_haunted_once_and_never_again() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 2))["output"]["ODNO"]
        await desk.fault(ghost_rows={"count": 1})
        haunted, after = await desk.rows(), await desk.rows()
        assert len(orders(desk)) == 1
    true = [row for row in haunted if row["odno"] == number]
    ghosts = [row for row in haunted if row["odno"] != number]
    assert true == [after[0], after[0]], "the row itself comes twice"
    assert {row["pdno"] for row in ghosts} == {LG_CHEM}
    assert {row["tot_ccld_qty"] for row in ghosts} == {"0"}
    assert {row["ord_qty"] for row in ghosts} == {"0", "2"}
    assert {row["excg_id_dvsn_cd"] for row in ghosts} == {"KRX", "NXT"}
    assert len(after) == 1


async def test_an_empty_list_has_no_ghosts() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(ghost_rows={"kinds": ["twin"]})
        assert await desk.rows() == []
        await desk.order(BUY, LG_CHEM, 2)
        assert len(await desk.rows()) == 2


async def test_inquiries_are_throttled_while_orders_pass() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(throttled={"trs": ["inquire-daily-ccld"]})
        assert (await desk.order(BUY, LG_CHEM, 1))["rt_cd"] == "0"
        today = {"INQR_STRT_DT": "20180116", "INQR_END_DT": "20180116"}
        refused = await desk.account(ROWS, "inquire-daily-ccld", **today)
    assert (refused["rt_cd"], refused["msg_cd"]) == ("1", "EGW00201")


async def test_the_list_comes_empty_with_only_its_totals() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(PAPER_BUY, LG_CHEM, 2)
        await desk.fault(orders_empty={"count": 1})
        today = "20180116"
        body = await desk.account(
            "VTTC8001R", "inquire-daily-ccld", INQR_STRT_DT=today, INQR_END_DT=today
        )
        after = await desk.rows()
    assert (body["rt_cd"], body["msg_cd"], body["output1"]) == ("0", "70070000", [])
    assert body["output2"]["tot_ccld_qty"] == "2"
    assert len(after) == 1
