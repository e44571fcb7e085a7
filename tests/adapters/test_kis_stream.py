"""This is the one connection on its good and bad days, against a socket that is wrong on purpose."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve

from adapters.kis.auth import Auth
from adapters.kis.dead_frames import DeadFrames
from adapters.kis.frames import Cipherment
from adapters.kis.links import Patience
from adapters.kis.stream import LONGEST_BACKLOG, KisStream
from adapters.market_data import Connected, Notice, StreamEvent, Unreadable
from tests.adapters.test_kis_frames import (
    NOTICE_23,
    NOTICE_26,
    TRADE_2026,
    TRADE_CLASSIC,
    a_frame,
    encipher,
)
from tests.builders import SAMSUNG
from tests.kis_worlds import a_clock, settings_for
from tests.odd_servers import odd_server, reply
from trading.errors import BrokerError, Rejected, Unauthorized
from trading.instruments import Symbol
from trading.notices import NoticeKind
from trading.ticks import TradePrint

KEYS = Cipherment(key="k" * 32, iv="i" * 16)
QUICK = Patience(first=0.01, longest=0.05, occupied=0.2, breaker=0.3, stable=60, answers=0.5)
type Talk = Callable[[OddSocket, ServerConnection], Awaitable[None]]


@dataclass
class OddSocket:
    """A KIS socket that acknowledges what `refusals` does not name, then says what `talk` wants."""

    talk: Talk
    refusals: dict[str, str] = field(default_factory=dict)
    url: str = ""
    connections: int = 0
    approvals: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def handle(self, socket: ServerConnection) -> None:
        """Take the registrations of one notice and one symbol, then talk."""
        self.connections += 1
        self.times.append(asyncio.get_running_loop().time())
        for _ in range(2):
            message = json.loads(await socket.recv())
            self.messages.append(message)
            tr_id = message["body"]["input"]["tr_id"]
            await socket.send(an_answer(message, self.refusals.get(tr_id, "OPSP0000")))
        await self.talk(self, socket)

    @property
    def registered(self) -> list[tuple[str, str]]:
        """What was registered, in order."""
        inputs = [message["body"]["input"] for message in self.messages]
        return [(each["tr_id"], each["tr_key"]) for each in inputs]


def an_answer(message: dict[str, Any], code: str) -> str:
    body: dict[str, Any] = {"rt_cd": "0" if code == "OPSP0000" else "1", "msg_cd": code, "msg1": ""}
    if code == "OPSP0000":
        body["output"] = {"iv": KEYS.iv, "key": KEYS.key}
    header = {**message["body"]["input"], "encrypt": "N"}
    return json.dumps({"header": header, "body": body})


def a_notice_frame(row: Sequence[str], tr_id: str = "H0STCNI9") -> str:
    return f"1|{tr_id}|001|{encipher('^'.join(row), KEYS)}"


@asynccontextmanager
async def a_stream(
    home: Path,
    odd: OddSocket,
    *,
    patience: Patience = QUICK,
    longest_backlog: int = LONGEST_BACKLOG,
    **changes: Any,
) -> AsyncIterator[KisStream]:
    """Open a stream on an odd socket."""

    def approve(_: object) -> bytes:
        odd.approvals += 1
        return reply({"approval_key": f"approval-{odd.approvals}"})

    async with (
        odd_server(approve) as office,
        httpx.AsyncClient(base_url=office.url) as http,
        serve(odd.handle, "127.0.0.1", 0) as server,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        settings = settings_for(office.url, f"ws://127.0.0.1:{port}", **changes)
        auth = Auth(settings, http=http, folder=home, clock=a_clock())
        yield KisStream(
            settings,
            auth=auth,
            clock=a_clock(),
            patience=patience,
            dead_frames=DeadFrames(home / "dead_letters"),
            longest_backlog=longest_backlog,
        )


async def take(
    stream: KisStream, count: int, symbols: Sequence[Symbol] = (SAMSUNG,)
) -> list[StreamEvent]:
    """Take so many events and hang up."""
    events: list[StreamEvent] = []
    async with aclosing(stream.events(symbols)) as source, asyncio.timeout(10):
        async for event in source:
            events.append(event)
            if len(events) == count:
                break
    return events


async def until_connected(odd: OddSocket, count: int) -> None:
    """Wait for so many connections."""
    async with asyncio.timeout(10):
        while odd.connections < count:  # noqa: ASYNC110 - counted by the server's tasks
            await asyncio.sleep(0.01)


def saying(*texts: str | bytes) -> Talk:
    """Say this, then keep silent."""

    async def talk(_: OddSocket, socket: ServerConnection) -> None:
        for text in texts:
            await socket.send(text)
        await socket.wait_closed()

    return talk


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


async def test_a_full_or_wrong_registration_of_a_symbol_costs_only_the_symbol(
    tmp_path: Path,
) -> None:
    for code in ("OPSP0008", "OPSP8993"):
        odd = OddSocket(saying(a_notice_frame(NOTICE_23)), {"H0STCNT0": code})
        async with a_stream(tmp_path, odd) as stream:
            events = await take(stream, 2)
        assert [type(event) for event in events] == [Connected, Notice]
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


def test_the_file_of_dead_frames_stays_small(tmp_path: Path) -> None:
    frames = DeadFrames(tmp_path / "letters", largest=1_000)
    for count in range(30):
        frames.keep(f"frame {count}", "odd", at=a_clock().now())
    older = frames.path.with_suffix(".jsonl.1")
    assert max(frames.path.stat().st_size, older.stat().st_size) < 1_200
    assert "frame 29" in frames.path.read_text()


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
