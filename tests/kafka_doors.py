"""This is a door before a broker that speaks TLS and asks for a password, as Kafka's own listeners do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
import struct
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from tests.tls import a_certificate

SASL_FAILED, SASL_UNSUPPORTED = 58, 33
USER, PASSWORD = "maemae", "a password that nobody may see"
HASHES: Final = {"SCRAM-SHA-256": hashlib.sha256, "SCRAM-SHA-512": hashlib.sha512}
SALT, ROUNDS = b"salt", 4096


class Api(IntEnum):
    """The requests that come before a login."""

    VERSIONS = 18
    HANDSHAKE = 17
    AUTHENTICATE = 36


type Talk = Generator[bytes, bytes]


class Refused(Exception):
    """The password is wrong."""


def _plain() -> Talk:
    said = yield b""
    if said != b"\0".join((USER.encode(), USER.encode(), PASSWORD.encode())):
        raise Refused
    yield b""


def _scram(mechanism: str) -> Talk:
    """Talk as RFC 5802 has the server do."""
    kind = HASHES[mechanism]
    first = (yield b"").decode().removeprefix("n,,")
    nonce = dict(part.split("=", 1) for part in first.split(","))["r"] + "ours"
    challenge = f"r={nonce},s={base64.b64encode(SALT).decode()},i={ROUNDS}"
    last = (yield challenge.encode()).decode()
    bare, _, proof = last.rpartition(",p=")
    message = f"{first},{challenge},{bare}".encode()
    salted = hashlib.pbkdf2_hmac(kind().name, PASSWORD.encode(), SALT, ROUNDS)
    client_key = hmac.digest(salted, b"Client Key", kind)
    signature = hmac.digest(kind(client_key).digest(), message, kind)
    expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    if not hmac.compare_digest(base64.b64decode(proof), expected):
        raise Refused
    server_key = hmac.digest(salted, b"Server Key", kind)
    yield b"v=" + base64.b64encode(hmac.digest(server_key, message, kind))


@dataclass
class Door:
    """Lets in who knows the password, and shows itself as the broker's address."""

    broker: int
    mechanism: str
    port: int = 0
    let_in: int = 0
    turned_away: int = 0
    certificate: Path = field(default_factory=Path)

    async def open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        theirs, forth = await asyncio.open_connection("127.0.0.1", self.broker)
        try:
            if await self._authenticate(reader, writer, theirs, forth):
                self.let_in += 1
                await asyncio.gather(_pump(reader, forth), self._pump_back(theirs, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            forth.close()

    async def _authenticate(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
    ) -> bool:
        talk = _plain() if self.mechanism == "PLAIN" else _scram(self.mechanism)
        next(talk)
        while True:
            request = await _frame(reader)
            key, version, correlation, name = struct.unpack(">hhih", request[:10])
            body = request[10 + max(name, 0) :]
            answer = struct.pack(">i", correlation)
            lifetime = struct.pack(">q", 0) if version else b""
            match key:
                case Api.VERSIONS:
                    _send(forth, request)
                    _send(writer, _with_sasl(await _frame(theirs)))
                case Api.HANDSHAKE:
                    is_known = body[2:].decode() == self.mechanism
                    code = 0 if is_known else SASL_UNSUPPORTED
                    _send(writer, answer + struct.pack(">hi", code, 1) + _text(self.mechanism))
                case Api.AUTHENTICATE:
                    try:
                        told = talk.send(body[4:])
                    except Refused:
                        self.turned_away += 1
                        _send(
                            writer,
                            answer
                            + struct.pack(">h", SASL_FAILED)
                            + _text("wrong password")
                            + _bytes(b"")
                            + lifetime,
                        )
                        return False
                    _send(writer, answer + struct.pack(">hh", 0, -1) + _bytes(told) + lifetime)
                    if self.mechanism == "PLAIN" or told.startswith(b"v="):
                        return True
                case _:
                    self.turned_away += 1
                    return False

    async def _pump_back(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry answers, with our address where the broker names its own."""
        ours, other = struct.pack(">i", self.port), struct.pack(">i", self.broker)
        with suppress(asyncio.IncompleteReadError):
            while True:
                _send(sink, (await _frame(source)).replace(other, ours))
        sink.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while content := await source.read(65_536):
        sink.write(content)
        await sink.drain()
    sink.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def _send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)


def _with_sasl(versions: bytes) -> bytes:
    """Add the two requests of a login to what the broker says it takes (ApiVersions 0)."""
    code, count = struct.unpack(">hi", versions[4:10])
    rows = struct.pack(">hhhhhh", Api.HANDSHAKE, 0, 1, Api.AUTHENTICATE, 0, 1)
    return versions[:4] + struct.pack(">hi", code, count + 2) + rows + versions[10:]


def _text(words: str) -> bytes:
    return struct.pack(">h", len(words)) + words.encode()


def _bytes(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


@asynccontextmanager
async def a_door(broker: int, mechanism: str, folder: Path) -> AsyncIterator[Door]:
    """Open one with TLS before the broker at that port."""
    door = Door(broker, mechanism)
    door.certificate, key = a_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(door.certificate, key)
    server = await asyncio.start_server(door.open, "127.0.0.1", 0, ssl=context)
    door.port = server.sockets[0].getsockname()[1]
    try:
        yield door
    finally:
        server.close()
