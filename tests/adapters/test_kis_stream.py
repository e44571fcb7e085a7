"""This is the one connection on its good and bad days, against a socket that is wrong on purpose."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from adapters.kis.frames import Cipherment
from adapters.kis.links import Patience
from adapters.market_data import Connected, Notice, Unreadable
from tests.adapters.test_kis_frames import NOTICE_23, NOTICE_26, TRADE_2026, a_frame, encipher
from tests.builders import SAMSUNG
from tests.kis_worlds import a_clock
from tests.odd_sockets import (
    KEYS,
    OddSocket,
    a_notice_frame,
    a_stream,
    saying,
    take,
    until_connected,
)
from trading.errors import BrokerError, Rejected, Unauthorized
from trading.instruments import Symbol
from trading.ticks import TradePrint


async def test_notices_are_registered_first_then_the_symbols(tmp_path: Path) -> None:
    odd = OddSocket(saying())
    async with a_stream(tmp_path, odd) as stream:
        assert await take(stream, 1) == [Connected(a_clock().now())]
    assert odd.registered == [("H0STCNI9", "hts01"), ("H0STCNT0", "005930")]
    assert odd.messages[0]["header"] == {
        "approval_key": "approval-1",
        "custtype": "P",
        "tr_type": "1",
        "content-type": "utf-8",
    }


async def test_a_real_account_has_its_own_notices(tmp_path: Path) -> None:
    odd = OddSocket(saying(a_notice_frame(NOTICE_26, "H0STCNI0")))
    async with a_stream(tmp_path, odd, environment="real") as stream:
        events = await take(stream, 2)
    assert odd.registered[0] == ("H0STCNI0", "hts01")
    assert isinstance(events[1], Notice)


async def test_after_a_drop_everything_is_subscribed_again_and_told(tmp_path: Path) -> None:
    async def talk(odd: OddSocket, socket: ServerConnection) -> None:
        if odd.connections < 3:
            socket.transport.abort()
        await socket.wait_closed()

    odd = OddSocket(talk)
    async with a_stream(tmp_path, odd) as stream:
        assert await take(stream, 3) == [Connected(a_clock().now())] * 3
    assert odd.registered == [("H0STCNI9", "hts01"), ("H0STCNT0", "005930")] * 3
    assert odd.approvals == 1


async def test_a_silent_connection_is_given_up(tmp_path: Path) -> None:
    odd = OddSocket(saying())
    async with a_stream(tmp_path, odd, silence_seconds=0.2) as stream:
        assert await take(stream, 3) == [Connected(a_clock().now())] * 3
    assert odd.connections == 3


async def test_keys_of_an_earlier_connection_do_not_decipher_a_later_one(tmp_path: Path) -> None:
    other = Cipherment(key="K" * 32, iv="I" * 16)

    async def talk(odd: OddSocket, socket: ServerConnection) -> None:
        keys = KEYS if odd.connections > 1 else other
        await socket.send(f"1|H0STCNI9|001|{encipher('^'.join(NOTICE_23), keys)}")
        if odd.connections == 1:
            socket.transport.abort()
        await socket.wait_closed()

    async with a_stream(tmp_path, OddSocket(talk)) as stream:
        events = await take(stream, 5)
    # The first notice could not be read, so it asks for a reconciliation as a connection does.
    kinds = [type(event) for event in events]
    assert kinds == [Connected, Unreadable, Connected, Connected, Notice]
    assert stream.dropped == 1


async def test_a_full_or_wrong_registration_of_a_symbol_costs_only_the_symbol(
    tmp_path: Path,
) -> None:
    for code in ("OPSP0008", "OPSP8993"):
        odd = OddSocket(saying(a_notice_frame(NOTICE_23)), {"H0STCNT0": code})
        async with a_stream(tmp_path, odd) as stream:
            events = await take(stream, 2)
        assert [type(event) for event in events] == [Connected, Notice]
        assert odd.connections == 1


async def test_a_new_connection_learns_the_cap_anew(tmp_path: Path) -> None:
    """What the broker still held of the connection before was no limit of ours."""

    async def talk(odd: OddSocket, socket: ServerConnection) -> None:
        odd.refusals.clear()
        if odd.connections == 1:
            socket.transport.abort()
        await socket.wait_closed()

    odd = OddSocket(talk, {"H0STCNT0": "OPSP0008"})
    async with a_stream(tmp_path, odd) as stream:
        assert [type(event) for event in await take(stream, 2)] == [Connected] * 2
    assert odd.registered == [("H0STCNI9", "hts01"), ("H0STCNT0", "005930")] * 2


async def test_a_ping_is_a_sign_of_life(tmp_path: Path) -> None:
    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        for _beat in range(8):
            await asyncio.sleep(0.2)
            await socket.send('{"header":{"tr_id":"PINGPONG","datetime":"20180116090500"}}')
        await socket.send(a_frame(TRADE_2026))
        await socket.wait_closed()

    odd = OddSocket(talk)
    async with a_stream(tmp_path, odd, silence_seconds=1) as stream:
        events = await take(stream, 2)
    assert isinstance(events[1], TradePrint)
    assert odd.connections == 1


async def test_already_subscribed_is_as_good_as_subscribed(tmp_path: Path) -> None:
    odd = OddSocket(saying(), {"H0STCNT0": "OPSP0002"})
    async with a_stream(tmp_path, odd) as stream:
        await take(stream, 1)
    assert odd.connections == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OPSP0010", Unauthorized),
        ("OPSP8993", Unauthorized),
        ("OPSP8991", Rejected),
        ("OPSP9999", Rejected),
    ],
)
async def test_what_connecting_again_cannot_heal_is_told(
    tmp_path: Path, code: str, kind: type[BrokerError]
) -> None:
    odd = OddSocket(saying(), {"H0STCNI9": code})
    async with a_stream(tmp_path, odd) as stream:
        with pytest.raises(kind, match=code):
            await take(stream, 1)
    assert odd.connections == 1


async def test_a_refused_approval_is_issued_anew(tmp_path: Path) -> None:
    odd = OddSocket(saying(), {"H0STCNI9": "OPSP0011"})
    async with a_stream(tmp_path, odd) as stream:
        taking = asyncio.create_task(take(stream, 1))
        await until_connected(odd, 2)
        odd.refusals.clear()
        await taking
    assert odd.approvals >= 2


async def test_an_appkey_in_use_elsewhere_is_waited_for(tmp_path: Path) -> None:
    odd = OddSocket(saying(), {"H0STCNI9": "OPSP8996"})
    async with a_stream(tmp_path, odd) as stream:
        taking = asyncio.create_task(take(stream, 1))
        await until_connected(odd, 2)
        odd.refusals.clear()
        await taking
    assert odd.times[1] - odd.times[0] > 0.14


async def test_after_repeated_failures_attempts_become_rare(tmp_path: Path) -> None:
    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        socket.transport.abort()

    odd = OddSocket(talk)
    patience = Patience(first=0.001, longest=0.01, breaker=0.4, breaker_after=3)
    async with a_stream(tmp_path, odd, patience=patience) as stream:
        taking = asyncio.create_task(take(stream, 1_000))
        await until_connected(odd, 5)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
    gaps = [later - earlier for earlier, later in pairwise(odd.times)]
    assert max(gaps[:2]) < 0.3
    assert min(gaps[2:]) > 0.29


def test_pauses_grow_to_a_bound_and_shake() -> None:
    patience = Patience()
    for failures, lowest, highest in [(0, 0.7, 1.3), (3, 6, 10), (5, 24, 40), (6, 225, 375)]:
        pauses = [patience.pause(failures, None) for _ in range(50)]
        assert lowest <= min(pauses) < max(pauses) <= highest
    occupied = Rejected("x", code="OPSP8996")
    assert patience.pause(1, occupied) >= 30


async def test_without_an_hts_login_only_prices_are_registered(tmp_path: Path) -> None:
    odd = OddSocket(saying())
    async with a_stream(tmp_path, odd, hts_id="") as stream:
        await take(stream, 1, [SAMSUNG, SAMSUNG, Symbol("051910")])
    assert odd.registered == [("H0STCNT0", "005930"), ("H0STCNT0", "051910")]


async def test_an_approval_key_of_yesterday_opens_nothing_and_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kis.stream.APPROVAL_SECONDS", -1)

    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        socket.transport.abort()

    odd = OddSocket(talk)
    async with a_stream(tmp_path, odd) as stream:
        await take(stream, 2)
    assert odd.approvals == odd.connections


async def test_nothing_is_left_running_when_the_taker_leaves(tmp_path: Path) -> None:
    async with a_stream(tmp_path, OddSocket(saying())) as stream:
        before = len(asyncio.all_tasks())
        await take(stream, 1)
        await asyncio.sleep(0.05)
        ours = [task for task in asyncio.all_tasks() if "KisStream" in repr(task.get_coro())]
        assert ours == []
        assert len(asyncio.all_tasks()) <= before + 1


async def test_no_log_shows_the_approval_key_or_a_cipher_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.server").setLevel(logging.INFO)
    odd = OddSocket(saying(a_notice_frame(NOTICE_23[:20]), "nonsense", a_frame(TRADE_2026)))
    async with a_stream(tmp_path, odd) as stream:
        await take(stream, 3)
        shown = f"{caplog.text} {stream.__dict__!r}"
    assert "approval-1" not in shown
    assert KEYS.key not in shown
    assert KEYS.iv not in shown
