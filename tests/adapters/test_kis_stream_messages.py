"""This is what the socket says and what comes of it: prints, notices, nonsense, bursts."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from adapters.kis.dead_frames import DeadFrames
from adapters.market_data import Connected, Notice, Unreadable
from tests.adapters.test_kis_frames import NOTICE_23, NOTICE_26, TRADE_2026, TRADE_CLASSIC, a_frame
from tests.builders import SAMSUNG
from tests.kis_worlds import a_clock
from tests.odd_sockets import OddSocket, a_notice_frame, a_stream, saying, take
from trading.notices import NoticeKind
from trading.ticks import TradePrint


@pytest.mark.parametrize(
    ("trade", "notice"), [(TRADE_2026, NOTICE_26), (TRADE_CLASSIC, NOTICE_23)], ids=["new", "old"]
)
async def test_prints_and_notices_come_in_both_wire_profiles(
    tmp_path: Path, trade: list[str], notice: list[str]
) -> None:
    odd = OddSocket(saying(a_frame(trade, trade), a_notice_frame(notice)))
    async with a_stream(tmp_path, odd) as stream:
        events = await take(stream, 4)
    assert isinstance(events[0], Connected)
    first, second = (event for event in events if isinstance(event, TradePrint))
    assert first == second
    (fill,) = (event for event in events if isinstance(event, Notice))
    assert (fill.kind, fill.quantity, fill.received_at) == (
        NoticeKind.FILLED,
        3,
        a_clock().now(),
    )


async def test_a_ping_is_echoed(tmp_path: Path) -> None:
    ping = '{"header":{"tr_id":"PINGPONG","datetime":"20180116090500"}}'
    echoes: list[str | bytes] = []

    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        await socket.send(ping)
        echoes.append(await socket.recv())
        await socket.send(a_frame(TRADE_2026))
        await socket.wait_closed()

    async with a_stream(tmp_path, OddSocket(talk)) as stream:
        await take(stream, 2)
    assert echoes == [ping]


@pytest.mark.parametrize(
    "nonsense",
    [
        "0|H0STCNT0|001|1^2^3",
        "0|H0STCNT0|002|" + "^".join(TRADE_2026),
        "0|X|001|a",
        "not a frame",
        "{not json",
        b"\xff\xfe",
        "",
    ],
)
async def test_nonsense_is_dropped_and_counted_and_the_stream_goes_on(
    tmp_path: Path, nonsense: str | bytes
) -> None:
    odd = OddSocket(saying(nonsense, a_frame(TRADE_2026)))
    is_bad = nonsense != "0|X|001|a"
    async with a_stream(tmp_path, odd) as stream:
        events = await take(stream, 2 + is_bad)
    kinds = {type(event) for event in events[1:]}
    assert kinds == ({Unreadable, TradePrint} if is_bad else {TradePrint})
    assert stream.dropped == is_bad
    assert odd.connections == 1


async def test_a_notice_that_cannot_be_read_asks_for_a_reconciliation(tmp_path: Path) -> None:
    short = a_notice_frame(NOTICE_23[:20])
    torn = "1|H0STCNI9|001|AAAA"
    odd = OddSocket(saying(short, torn, a_notice_frame(NOTICE_23)))
    async with a_stream(tmp_path, odd) as stream:
        events = await take(stream, 6)
    bad = [Unreadable, Connected]
    assert [type(event) for event in events] == [Connected, *bad, *bad, Notice]
    assert stream.dropped == 2
    kept = DeadFrames(tmp_path / "dead_letters").path
    assert [json.loads(line)["frame"] for line in kept.read_text().splitlines()] == [short, torn]
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_notices_of_another_account_of_the_same_login_are_not_ours(tmp_path: Path) -> None:
    other = [NOTICE_23[0], "9999999901", *NOTICE_23[2:]]
    odd = OddSocket(saying(a_notice_frame(other), a_notice_frame(NOTICE_23)))
    async with a_stream(tmp_path, odd) as stream:
        events = await take(stream, 2)
    assert isinstance(events[1], Notice)
    assert stream.dropped == 0


async def test_a_slow_taker_loses_nothing_of_a_burst(tmp_path: Path) -> None:
    odd = OddSocket(saying(*[a_frame(*[TRADE_2026] * 4)] * 500))
    async with (
        a_stream(tmp_path, odd) as stream,
        aclosing(stream.events([SAMSUNG])) as source,
        asyncio.timeout(20),
    ):
        assert isinstance(await anext(source), Connected)
        await asyncio.sleep(0.5)
        assert stream.backlog > 0
        for _ in range(2_000):
            assert isinstance(await anext(source), TradePrint)


async def test_of_a_burst_that_nobody_takes_the_oldest_prices_go_and_the_notice_stays(
    tmp_path: Path,
) -> None:
    trades = [[*TRADE_2026[:13], str(count), *TRADE_2026[14:]] for count in range(500)]
    burst = [a_frame(trade) for trade in trades]
    odd = OddSocket(saying(*burst[:250], a_notice_frame(NOTICE_23), *burst[250:]))
    async with (
        a_stream(tmp_path, odd, longest_backlog=100) as stream,
        aclosing(stream.events([SAMSUNG])) as source,
        asyncio.timeout(20),
    ):
        assert isinstance(await anext(source), Connected)
        while stream.backlog + stream.lost < 501:  # noqa: ASYNC110 - counted by the receive loop
            await asyncio.sleep(0.01)
        assert (stream.backlog, stream.lost) == (101, 400)
        assert isinstance(await anext(source), Notice)
        kept = [await anext(source) for _ in range(100)]
    volumes = [each.cumulative_volume for each in kept if isinstance(each, TradePrint)]
    assert volumes == list(range(400, 500))


def test_the_file_of_dead_frames_stays_small(tmp_path: Path) -> None:
    frames = DeadFrames(tmp_path / "letters", largest=1_000)
    for count in range(30):
        frames.keep(f"frame {count}", "odd", at=a_clock().now())
    older = frames.path.with_suffix(".jsonl.1")
    assert max(frames.path.stat().st_size, older.stat().st_size) < 1_200
    assert "frame 29" in frames.path.read_text()
