"""This is every switchable fault of notices, market and socket in the simulator, struck once."""

from __future__ import annotations

import asyncio

import pytest
import websockets

from tests.builders import A_DAY, seoul
from tests.sim_clients import BUY, CHANGE, PAPER_BUY, PRICE, Desk, a_desk

LG_CHEM = "051910"
TRADES, NOTICES, OPERATION = "H0STCNT0", "H0STCNI0", "H0STMKO0"


async def quote(desk: Desk) -> dict[str, str]:
    body = await desk.quotation(PRICE, "inquire-price", FID_INPUT_ISCD=LG_CHEM)
    output: dict[str, str] = body["output"]
    return output


async def test_a_notice_comes_before_the_reply() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.fault(notice_before_reply={"seconds": 0.3})
            order = asyncio.create_task(desk.order(BUY, LG_CHEM, 1))
            await socket.text()
            is_first = not order.done()
            assert (await order)["rt_cd"] == "0"
    assert is_first


async def test_without_the_fault_the_reply_comes_first() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.fault(reply_delayed={"seconds": 0.3})
            order = asyncio.create_task(desk.order(BUY, LG_CHEM, 1))
            assert await socket.is_quiet(0.15)
            await order
            await socket.text()


async def test_no_notice_comes() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.fault(no_notice={"symbols": [LG_CHEM]})
            await desk.order(BUY, LG_CHEM, 1)
            assert await socket.is_quiet()
            await desk.order(BUY, "005930", 1)
            await socket.text()


async def test_a_notice_comes_twice() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.fault(duplicate_notice={"count": 1})
            await desk.order(BUY, LG_CHEM, 1, 430_000)
            assert await socket.text() == await socket.text()
            assert await socket.is_quiet()


async def test_the_notices_of_one_moment_come_last_first() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.order(BUY, LG_CHEM, 1)
            told = [await socket.notice() for _ in range(2)]
            await desk.fault(reordered_notices={"count": 1})
            await desk.order(BUY, LG_CHEM, 1)
            reordered = [await socket.notice() for _ in range(2)]
    assert [fields[13] for fields in told] == ["1", "2"], "taken, then filled"
    assert [fields[13] for fields in reordered] == ["2", "1"]


async def test_fills_come_in_parts_over_time() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(partial_fills={"max_quantity": 7})
        number = (await desk.order(BUY, LG_CHEM, 20))["output"]["ODNO"]
        at_once = (await desk.row(number))["tot_ccld_qty"]
        await desk.to("09:11")
        assert (await desk.row(number))["tot_ccld_qty"] == "20"
        fills = desk.simulator.book()["accounts"][0]["fills"]
    assert at_once == "7"
    assert [fill["quantity"] for fill in fills] == [7, 7, 6]
    assert len({fill["at"] for fill in fills}) == 3


async def test_the_exchange_rejects_what_the_broker_took() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(reject_after_accept={"count": 1})
        reply = await desk.order(BUY, LG_CHEM, 5, 430_000)
        row = await desk.row(reply["output"]["ODNO"])
        balance = await desk.account("TTTC8908R", "inquire-psbl-order", PDNO="", ORD_UNPR="")
    assert reply["rt_cd"] == "0"
    assert (row["rjct_qty"], row["rmn_qty"], row["tot_ccld_qty"]) == ("5", "0", "0")
    assert balance["output"]["ord_psbl_cash"] == "100000000"


async def test_a_holiday_refuses_orders_and_is_in_the_calendar() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(holiday=True)
        real = await desk.order(BUY, LG_CHEM, 1)
        paper = await desk.order(PAPER_BUY, LG_CHEM, 1)
        body = await desk.quotation("CTCA0903R", "chk-holiday", BASS_DT="20180116")
    assert (real["msg_cd"], paper["msg_cd"]) == ("APBK0919", "40100000")
    assert [row["opnd_yn"] for row in body["output"][:2]] == ["N", "Y"]


async def test_named_days_are_holidays_and_today_is_not() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(holiday={"days": ["2018-01-17"]})
        assert (await desk.order(BUY, LG_CHEM, 1))["rt_cd"] == "0"
        body = await desk.quotation("CTCA0903R", "chk-holiday", BASS_DT="20180116")
    assert [row["opnd_yn"] for row in body["output"][:2]] == ["Y", "N"]


async def test_a_closed_market_refuses_orders() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.fault(market_closed=True)
        assert (await desk.order(PAPER_BUY, LG_CHEM, 1))["msg_cd"] == "40580000"


async def test_a_halted_symbol_takes_no_orders_and_stands_still() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        resting = (await desk.order(BUY, LG_CHEM, 1, 430_000))["output"]["ODNO"]
        before = await quote(desk)
        async with desk.socket((TRADES, LG_CHEM), (OPERATION, LG_CHEM)) as socket:
            await desk.fault(halt={"symbols": [LG_CHEM]})
            operation = await socket.fields()
            refused = await desk.order(BUY, LG_CHEM, 1)
            other = await desk.order(BUY, "005930", 1)
            await desk.to("13:00")
            assert await socket.is_quiet()
        after = await quote(desk)
        row = await desk.row(resting)
        canceled = await desk.change(CHANGE, resting)
    assert operation[1] == "Y"
    assert refused["msg_cd"] == "APBK0634"
    assert other["rt_cd"] == canceled["rt_cd"] == "0"
    assert (after["temp_stop_yn"], after["iscd_stat_cls_code"]) == ("Y", "58")
    assert after["acml_vol"] == before["acml_vol"]
    assert row["tot_ccld_qty"] == "0"


async def test_an_interruption_gathers_orders_and_ends_in_an_auction() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((OPERATION, LG_CHEM), (TRADES, LG_CHEM)) as socket:
            await desk.fault(volatility_interruption={"symbols": [LG_CHEM], "seconds": 120})
            begun = await socket.fields()
            number = (await desk.order(BUY, LG_CHEM, 1))["output"]["ODNO"]
            at_once = (await desk.row(number))["tot_ccld_qty"]
            status = await desk.quotation("FHPST01390000", "inquire-vi-status")
            seen = (await quote(desk))["vi_cls_code"]
            await desk.to("09:11:59")
            waiting = (await desk.row(number))["tot_ccld_qty"]
            assert await socket.is_quiet()
            await desk.to("09:12")
            ended = await socket.fields()
        filled = (await desk.row(number))["tot_ccld_qty"]
    assert (begun[8], ended[8]) == ("Y", "N")
    assert [row["mksc_shrn_iscd"] for row in status["output"]] == [LG_CHEM]
    assert (status["output"][0]["cntg_vi_hour"], status["output"][0]["vi_cncl_hour"]) == (
        "091000",
        "091200",
    )
    assert (seen, at_once, waiting, filled) == ("Y", "0", "0", "1")


async def test_quotes_stay_behind_while_orders_meet_the_real_market() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        then = await quote(desk)
        await desk.to("09:40")
        now = await quote(desk)
        await desk.fault(stale_quotes={"seconds": 1800})
        stale = await quote(desk)
        order = await desk.order(BUY, LG_CHEM, 1)
        row = await desk.row(order["output"]["ODNO"])
    assert now["acml_vol"] != then["acml_vol"]
    assert stale["acml_vol"] == then["acml_vol"]
    assert row["avg_prvs"] != "0"


@pytest.mark.parametrize(("seconds", "shown"), [(5, "091005"), (-5, "090955")])
async def test_the_clock_of_the_broker_is_wrong_in_receipts_rows_and_notices(
    seconds: int, shown: str
) -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.fault(clock_skew={"seconds": seconds})
            receipt = (await desk.order(BUY, LG_CHEM, 1))["output"]
            told = [(await socket.notice())[11] for _ in range(2)]
        row = await desk.row(receipt["ODNO"])
    assert {receipt["ORD_TMD"], row["ord_tmd"], *told} == {shown}


async def test_a_silent_socket_stays_open_and_says_nothing() -> None:
    async with a_desk(ping_seconds=0.05) as desk:
        await desk.to("09:10")
        async with desk.socket((TRADES, LG_CHEM)) as socket:
            await desk.fault(silent_socket=True)
            await asyncio.sleep(0.06)
            while not await socket.is_quiet(0.1):
                pass
            await desk.to("09:20")
            assert await socket.is_quiet()
            assert await asyncio.wait_for(await socket.connection.ping(), 5) >= 0
            await desk.fault(silent_socket=None)
            await socket.text()


async def test_a_socket_is_dropped_without_a_close_frame() -> None:
    async with a_desk() as desk:
        async with desk.socket((TRADES, LG_CHEM)) as socket:
            await desk.fault(socket_drop={"count": 1})
            with pytest.raises(websockets.ConnectionClosedError) as dropped:
                await socket.text()
        async with desk.socket((TRADES, LG_CHEM)) as again:
            assert again.acknowledgements[0]["body"]["rt_cd"] == "0"
    assert dropped.value.rcvd is None


async def test_an_appkey_is_said_to_be_in_use() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        await desk.fault(appkey_in_use={"count": 1})
        refused = await socket.register(TRADES, LG_CHEM)
        taken = await socket.register(TRADES, LG_CHEM)
    assert refused["body"]["msg_cd"] == "OPSP8996"
    assert taken["body"]["rt_cd"] == "0"


async def test_the_cap_of_registrations_can_be_lower() -> None:
    async with a_desk() as desk, desk.socket((TRADES, LG_CHEM)) as socket:
        await desk.fault(max_subscriptions={"limit": 1})
        assert (await socket.register(TRADES, "005930"))["body"]["msg_cd"] == "OPSP0008"


async def test_the_price_at_a_time_is_the_same_after_a_fault_is_over() -> None:
    async with a_desk() as desk, a_desk() as untouched:
        await desk.to("09:10")
        await desk.fault(halt=True)
        await desk.to("10:00")
        await desk.fault(halt=None)
        await untouched.simulator.advance_to(seoul(A_DAY, "10:00"))
        assert await quote(desk) == await quote(untouched)
