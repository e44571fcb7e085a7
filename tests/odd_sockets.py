"""This is a KIS socket that is wrong on purpose, and a stream that listens to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve

from adapters.kis.auth import Auth
from adapters.kis.dead_frames import DeadFrames
from adapters.kis.frames import Cipherment
from adapters.kis.links import Patience
from adapters.kis.stream import LONGEST_BACKLOG, KisStream
from adapters.market_data import StreamEvent
from tests.adapters.test_kis_frames import encipher
from tests.builders import SAMSUNG
from tests.kis_worlds import a_clock, settings_for
from tests.odd_servers import odd_server, reply
from trading.instruments import Symbol

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
    """Answer a registration."""
    body: dict[str, Any] = {"rt_cd": "0" if code == "OPSP0000" else "1", "msg_cd": code, "msg1": ""}
    if code == "OPSP0000":
        body["output"] = {"iv": KEYS.iv, "key": KEYS.key}
    header = {**message["body"]["input"], "encrypt": "N"}
    return json.dumps({"header": header, "body": body})


def a_notice_frame(row: Sequence[str], tr_id: str = "H0STCNI9") -> str:
    """Write a notice as the socket does."""
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
