"""This is what a trading day depends on, each of which can be stopped and started: all of them for real."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from deployments.processes import Program
from tests.database_servers import DatabaseServer
from tests.kafka_brokers import Broker


class Service(Protocol):
    """Something that others need."""

    async def stop(self) -> None:
        """Let it be gone."""
        ...

    async def start(self) -> None:
        """Let it be back at the same address."""
        ...


@dataclass
class Wire:
    """A way to a server that can be cut: nobody listens, and every connection is gone."""

    target: str
    """Host and port behind it."""
    port: int = 0
    _server: asyncio.Server | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    async def to(cls, url: str) -> Wire:
        """Open a way to the server of a URL."""
        wire = cls(urlsplit(url).netloc)
        await wire.start()
        return wire

    def instead_of(self, url: str) -> str:
        """Give the URL that leads through here."""
        return url.replace(self.target, f"127.0.0.1:{self.port}", 1)

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
        for end in tuple(self._ends):
            end.transport.abort()

    async def _join(self, ours: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        host, _, port = self.target.rpartition(":")
        try:
            theirs, forth = await asyncio.open_connection(host, int(port))
        except OSError:
            back.transport.abort()  # nobody there either
            return
        ends = {back, forth}
        self._ends |= ends
        try:
            await asyncio.gather(_carry(ours, forth), _carry(theirs, back))
        finally:
            self._ends -= ends


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await source.read(65_536):
            sink.write(content)
            await sink.drain()
    sink.close()


@dataclass
class DatabaseService:
    """PostgreSQL."""

    server: DatabaseServer

    async def stop(self) -> None:
        """Stop the server, whoever is connected."""
        await asyncio.to_thread(self.server.stop)

    async def start(self) -> None:
        """Start it and wait until it answers."""
        await asyncio.to_thread(self.server.start)


@dataclass
class KafkaService:
    """The broker."""

    broker: Broker
    relay: Program
    """Who tells it."""

    async def stop(self) -> None:
        """End its process in order: it keeps its log on disk only then."""
        await asyncio.to_thread(self.broker.stop, self.relay.pid)

    async def start(self) -> None:
        """Start it and wait until it listens."""
        await asyncio.to_thread(self.broker.start)


@dataclass
class ProgramService:
    """A program of the stack, such as Prefect's server."""

    program: Program

    async def stop(self) -> None:
        """End the process."""
        await asyncio.to_thread(self.program.stop, within=3)

    async def start(self) -> None:
        """Start it anew; whoever needs it waits."""
        await asyncio.to_thread(self.program.start)
