"""This is an HTTP server that can be wrong on purpose: it hangs, hangs up, talks nonsense, and keeps count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HANG_UP = b""
HALF_AN_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"rt_cd":'


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


type Answer = bytes | None
"""What to write before hanging up; None keeps the caller waiting for ever."""


@dataclass(slots=True)
class OddServer:
    """The server's address and its memory; `answer` may be replaced while it runs."""

    answer: Callable[[Request], Answer]
    url: str = ""
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def count(self, path: str) -> int:
        """Tell how many requests came to a path."""
        return sum(path in request.path for request in self.requests)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until the caller or the answer ends it."""
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    await reader.read()
                    break
                writer.write(answer)
                await writer.drain()
                if b"Connection: keep-alive" not in answer:
                    break
        writer.close()


def reply(body: object, *, status: int = 200, tr_cont: str = "", is_last: bool = True) -> bytes:
    """Write an answer; `body` is text as it is, anything else becomes JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    connection = "close" if is_last else "keep-alive"
    head = (
        f"HTTP/1.1 {status} Odd\r\nContent-Length: {len(content)}\r\ntr_cont: {tr_cont}\r\n"
        f"Connection: {connection}\r\nContent-Type: application/json\r\n\r\n"
    )
    return head.encode() + content


@asynccontextmanager
async def odd_server(answer: Callable[[Request], Answer]) -> AsyncIterator[OddServer]:
    """Run one on a free port."""
    odd = OddServer(answer)
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    odd.url = f"http://{host}:{port}"
    try:
        yield odd
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = (line.split(":", 1) for line in head[1:] if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
