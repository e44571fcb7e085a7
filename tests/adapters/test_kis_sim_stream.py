"""This is what keeps the simulator's socket as KIS speaks it: registrations, records, seals, limits, pings."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets

from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import Profile, default_credential
from adapters.kis_sim.orders import Environment
from tests.builders import A_DAY, seoul
from tests.sim_clients import BUY, CHANGE, PAPER_BUY, SELL, Desk, Socket, a_desk, unsealed

TRADES, BOOKS, OPERATION = "H0STCNT0", "H0STASP0", "H0STMKO0"
NOTICES, PAPER_NOTICES = "H0STCNI0", "H0STCNI9"
LG_CHEM = "051910"


async def notices(socket: Socket, count: int) -> list[list[str]]:
    """Return the fields of the next notices."""
    (acknowledgement,) = socket.acknowledgements
    return [unsealed(await socket.text(), acknowledgement) for _ in range(count)]


@pytest.mark.parametrize("path", ["", "/tryitout", "/tryitout/H0STCNT0", "/x/y?z=1"])
async def test_any_path_takes_registrations(path: str) -> None:
    async with a_desk() as desk, desk.socket((TRADES, LG_CHEM), path=path) as socket:
        (answer,) = socket.acknowledgements
    assert answer["header"] == {"tr_id": TRADES, "tr_key": LG_CHEM, "encrypt": "N"}
    body = answer["body"]
    assert (body["rt_cd"], body["msg_cd"]) == ("0", "OPSP0000")
    assert body["msg1"] == "SUBSCRIBE SUCCESS"
    assert (len(body["output"]["key"]), len(body["output"]["iv"])) == (32, 16)


async def test_a_session_has_one_key_for_all_and_the_next_session_another() -> None:
    async with a_desk() as desk:
        async with desk.socket((TRADES, LG_CHEM), (NOTICES, "maemae")) as socket:
            outputs = [answer["body"]["output"] for answer in socket.acknowledgements]
            assert socket.acknowledgements[1]["header"]["encrypt"] == "Y"
        async with desk.socket((NOTICES, "maemae")) as other:
            (later,) = other.acknowledgements
    assert outputs[0] == outputs[1]
    assert later["body"]["output"] != outputs[0]


@pytest.mark.parametrize(
    ("profile", "trade_width", "book_width"),
    [(Profile.CURRENT, 47, 63), (Profile.CLASSIC, 46, 59)],
)
async def test_trades_and_books_have_the_widths_of_their_profile(
    profile: Profile, trade_width: int, book_width: int
) -> None:
    async with a_desk(profile=profile) as desk:
        await desk.to("09:10")
        async with desk.socket((TRADES, LG_CHEM), (BOOKS, LG_CHEM)) as socket:
            await desk.to("09:10:06")
            trade, book = await socket.fields(), await socket.fields()
    assert (len(trade), len(book)) == (trade_width, book_width)


async def test_a_trade_tells_what_the_quote_tells() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        async with desk.socket((TRADES, LG_CHEM)) as socket:
            await desk.to("10:00:06")
            trade = await socket.fields()
        body = await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=LG_CHEM)
    quote = body["output"]
    assert trade[0] == LG_CHEM
    assert "100000" <= trade[1] <= "100006"
    shown = [trade[index] for index in (2, 3, 4, 5, 7, 8, 9, 13, 14)]
    names = (
        "stck_prpr prdy_vrss_sign prdy_vrss prdy_ctrt stck_oprc stck_hgpr stck_lwpr acml_vol"
        " acml_tr_pbmn"
    )
    assert shown == [quote[name] for name in names.split()]
    assert trade[33] == "20180116"
    assert trade[34] == "20"
    assert trade[46] == "2"


async def test_a_book_has_ten_levels_a_side_and_right_sums() -> None:
    async with a_desk() as desk:
        await desk.to("10:00")
        async with desk.socket((BOOKS, LG_CHEM)) as socket:
            await desk.to("10:00:06")
            book = [int(field or 0) for field in await socket.fields()]
    asks, bids = book[3:13], book[13:23]
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert asks[0] > bids[0]
    assert sum(book[23:33]) == book[43]
    assert sum(book[33:43]) == book[44]


async def test_an_order_is_told_sealed_with_the_key_that_was_subscribed() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            reply = await desk.order(BUY, LG_CHEM, 3)
            taken, filled = await notices(socket, 2)
        price = (await desk.row(reply["output"]["ODNO"]))["avg_prvs"]
    number = reply["output"]["ODNO"]
    assert len(taken) == len(filled) == 26
    assert taken[:5] == ["maemae", "5001234501", number, "", "02"]
    assert taken[5:15] == ["0", "01", "0", LG_CHEM, "3", "0", "091000", "0", "1", "1"]
    assert filled[5:15] == ["0", "01", "0", LG_CHEM, "3", price, "091000", "0", "2", "2"]
    assert filled[16] == "3"
    assert filled[24] == "LG화학"


@pytest.mark.parametrize(
    ("profile", "tr", "width"),
    [
        (Profile.CURRENT, NOTICES, 26),
        (Profile.CURRENT, PAPER_NOTICES, 23),
        (Profile.CLASSIC, NOTICES, 23),
        (Profile.CLASSIC, PAPER_NOTICES, 23),
    ],
)
async def test_notices_have_the_widths_of_their_profile(
    profile: Profile, tr: str, width: int
) -> None:
    async with a_desk(profile=profile) as desk:
        await desk.to("09:10")
        async with desk.socket((tr, "maemae")) as socket:
            await desk.order(PAPER_BUY, LG_CHEM, 3, 430_000)
            (taken,) = await notices(socket, 1)
    assert len(taken) == width
    assert taken[-1] == "430000"
    assert taken[-2] == "LG화학"


async def test_changes_are_told_with_their_own_number_and_the_old_one() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        number = (await desk.order(BUY, LG_CHEM, 3, 430_000))["output"]["ODNO"]
        async with desk.socket((NOTICES, "maemae")) as socket:
            modified = (await desk.change(CHANGE, number, price=431_000))["output"]["ODNO"]
            canceled = (await desk.change(CHANGE, modified))["output"]["ODNO"]
            first, second = await notices(socket, 2)
    assert first[2:6] == [modified, number, "02", "1"]
    assert first[9:11] == ["3", "431000"]
    assert first[12:15] == ["0", "1", "2"]
    assert second[2:6] == [canceled, modified, "02", "2"]
    assert second[9:11] == ["3", "0"]
    assert second[12:15] == ["0", "1", "2"]


async def test_the_rest_of_an_ioc_order_is_told_as_gone() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.order(BUY, LG_CHEM, 3, 430_000, division="11")
            taken, gone = await notices(socket, 2)
    assert taken[7] == "1"
    assert gone[12:15] == ["0", "1", "3"]
    assert gone[9] == "3"


async def test_orders_placed_by_hand_are_told_too() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            order = {"symbol": LG_CHEM, "side": "BUY", "quantity": 2}
            placed = await desk.http.post("/sim/orders", json=order)
            taken, filled = await notices(socket, 2)
    assert placed.status_code == 200
    assert {taken[2], filled[2]} == {placed.json()["number"]}


async def test_the_market_tells_its_phases() -> None:
    async with a_desk() as desk, desk.socket((OPERATION, LG_CHEM)) as socket:
        await desk.to("16:30")
        codes = [(await socket.fields())[3] for _ in range(6)]
    assert codes == ["110", "112", "121", "129", "140", "149"]


# --- registrations -------------------------------------------------------------------------------------


async def test_the_forty_second_registration_is_refused() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        answers = [await socket.register(TRADES, f"{number:06d}") for number in range(42)]
    codes = [answer["body"]["msg_cd"] for answer in answers]
    assert codes == ["OPSP0000"] * 41 + ["OPSP0008"]
    assert answers[-1]["header"]["tr_key"] == "000041"


async def test_registering_twice_and_ending_what_is_not_there_are_named() -> None:
    async with a_desk() as desk, desk.socket((TRADES, LG_CHEM)) as socket:
        twice = await socket.register(TRADES, LG_CHEM)
        ended = await socket.register(TRADES, LG_CHEM, "2")
        again = await socket.register(TRADES, LG_CHEM, "2")
        await desk.to("09:30")
        assert await socket.is_quiet()
    codes = [answer["body"]["msg_cd"] for answer in (twice, ended, again)]
    assert codes == ["OPSP0002", "OPSP0001", "OPSP0003"]


async def test_an_unknown_approval_is_refused() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        socket.approval = "nobody"
        answer = await socket.register(TRADES, LG_CHEM)
    assert answer["body"]["msg_cd"] == "OPSP0011"


async def test_an_appkey_has_one_session_but_two_appkeys_have_two() -> None:
    async with a_desk() as desk, desk.socket((TRADES, LG_CHEM)):
        async with desk.socket() as second:
            refused = await second.register(TRADES, LG_CHEM)
        desk.credential = default_credential(Environment.PAPER)
        async with desk.socket() as third:
            taken = await third.register(TRADES, LG_CHEM)
    assert refused["header"]["tr_id"] == "(null)"
    assert (refused["body"]["rt_cd"], refused["body"]["msg_cd"]) == ("9", "OPSP8996")
    assert taken["body"]["rt_cd"] == "0"


async def test_a_session_that_is_gone_leaves_its_appkey_free() -> None:
    async with a_desk() as desk:
        async with desk.socket((TRADES, LG_CHEM)):
            pass
        async with desk.socket((TRADES, LG_CHEM)) as socket:
            (answer,) = socket.acknowledgements
    assert answer["body"]["rt_cd"] == "0"


async def test_overseas_notices_are_taken_and_stay_silent() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        for tr in ("H0GSCNI0", "H0GSCNI9"):
            assert (await socket.register(tr, "maemae"))["body"]["rt_cd"] == "0"
        assert await socket.is_quiet()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("what?", "OPSP9999"),
        ("[]", "OPSP9997"),
        ("{}", "OPSP9997"),
        ('{"header":{}}', "OPSP9992"),
        ('{"header":{},"body":{}}', "OPSP9991"),
        ('{"header":{},"body":{"input":{}}}', "OPSP8997"),
        ('{"header":{"tr_type":"1"},"body":{"input":{"tr_id":"X"}}}', "OPSP8991"),
        ('{"header":{"tr_type":"1"},"body":{"input":{"tr_id":"H0STCNT0"}}}', "OPSP8992"),
    ],
)
async def test_broken_messages_are_answered_not_punished(message: str, code: str) -> None:
    async with a_desk() as desk, desk.socket() as socket:
        await socket.connection.send(message)
        answer = json.loads(await socket.text())
        assert (await socket.register(TRADES, LG_CHEM))["body"]["rt_cd"] == "0"
    assert answer["body"]["msg_cd"] == code
    assert {"tr_key", "encrypt"} <= set(answer["header"])


async def test_a_wrong_hts_id_is_dropped_without_a_close_frame() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        await socket.send(NOTICES, "somebody")
        with pytest.raises(websockets.ConnectionClosedError) as dropped:
            await socket.text()
    assert dropped.value.rcvd is None


async def test_without_an_hts_id_of_its_own_the_simulator_takes_any() -> None:
    async with a_desk(hts_id="") as desk, desk.socket((NOTICES, "somebody")) as socket:
        await desk.to("09:10")
        await desk.order(BUY, LG_CHEM, 1, 430_000)
        (taken,) = await notices(socket, 1)
    assert taken[0] == "somebody"


async def test_paper_sends_its_own_notices_and_stays_silent_on_the_others() -> None:
    async with a_desk(mode=Mode.PAPER) as desk:
        await desk.to("09:10")
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.order(PAPER_BUY, LG_CHEM, 1, 430_000)
            assert await socket.is_quiet()
            answer = await socket.register(PAPER_NOTICES, "maemae")
            await desk.order(PAPER_BUY, LG_CHEM, 1, 430_000)
            taken = unsealed(await socket.text(), answer)
    assert taken[8] == LG_CHEM


# --- pings ---------------------------------------------------------------------------------------------


async def answer_by_echo(socket: Socket, ping: str) -> None:
    await socket.connection.send(ping)


async def answer_by_pong(socket: Socket, ping: str) -> None:
    await socket.connection.pong(ping)


async def answer_nothing(_socket: Socket, _ping: str) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("answer", [answer_by_echo, answer_by_pong, answer_nothing])
async def test_pingpong_may_be_echoed_ponged_or_left_alone(answer: Any) -> None:
    async with a_desk(ping_seconds=0.05) as desk, desk.socket() as socket:
        pings = []
        for _ in range(3):
            pings.append(await socket.text())
            await answer(socket, pings[-1])
        desk.simulator.simulation.faults_changed()
    for ping in pings:
        assert json.loads(ping)["header"]["tr_id"] == "PINGPONG"
        assert len(json.loads(ping)["header"]["datetime"]) == 14
        assert len(ping.encode()) < 126


async def test_pings_of_the_client_are_answered() -> None:
    async with a_desk() as desk, desk.socket() as socket:
        pong = await socket.connection.ping()
        await asyncio.wait_for(pong, 5)


async def test_sells_are_told_as_sells() -> None:
    async with a_desk() as desk:
        await desk.to("09:10")
        await desk.order(BUY, LG_CHEM, 3)
        async with desk.socket((NOTICES, "maemae")) as socket:
            await desk.order(SELL, LG_CHEM, 3)
            _, filled = await notices(socket, 2)
    assert filled[4] == "01"


async def test_the_default_ping_comes_about_every_ten_seconds() -> None:
    async with a_desk() as desk:
        assert isinstance(desk, Desk)
        assert desk.simulator.options.ping_seconds == 10


async def test_a_client_gets_every_trade_of_an_hour_that_is_stepped_over() -> None:
    async with a_desk() as desk:
        await desk.to("09:30")
        async with desk.socket((TRADES, LG_CHEM), (BOOKS, LG_CHEM)) as socket:
            stepping = asyncio.create_task(desk.to("10:30"))
            market = desk.simulator.simulation.market
            prints = market.prints(LG_CHEM, seoul(A_DAY, "09:30"), seoul(A_DAY, "10:30"))
            frames = [await socket.text() for _ in range(2 * len(prints))]
            await stepping
    trades = [frame.split("^") for frame in frames if f"|{TRADES}|" in frame]
    assert [int(trade[2]) for trade in trades] == [each.price for each in prints]
    assert [int(trade[12]) for trade in trades] == [each.volume for each in prints]
