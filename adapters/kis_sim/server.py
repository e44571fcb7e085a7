"""This is the running simulator: both ports, the pump that lets time pass, and a clean end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from adapters.clock import Clock, SystemClock
from adapters.kis_sim.app import HttpSide
from adapters.kis_sim.control import book, set_clock
from adapters.kis_sim.gateway import Gateway
from adapters.kis_sim.options import Options
from adapters.kis_sim.paces import Pace
from adapters.kis_sim.simulation import Simulation
from adapters.kis_sim.stream import SocketSide
from adapters.kis_sim.tokens import TokenOffice
from adapters.kis_sim.worlds import build
from trading.errors import BadInput

_PUMP_SECONDS: Final = 0.1


class Simulator:
    """A simulator in this process: `async with Simulator(options) as sim: sim.url, sim.ws_url`."""

    def __init__(self, options: Options | None = None, *, clock: Clock | None = None) -> None:
        self.options = options or Options()
        self.simulation: Simulation = build(
            self.options, clock=clock or SystemClock(), real_time=time.monotonic
        )
        self.office = TokenOffice(
            self.options.credentials,
            self.simulation.faults,
            interval=self.options.token_interval,
            real_time=time.monotonic,
        )
        self._sockets = SocketSide(self.simulation, self.office, self.options)
        self.simulation.audience = self._sockets
        self.url = ""
        self.ws_url = ""
        self._runners: list[web.ServerRunner] = []
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()

    async def start(self) -> None:
        """Open both ports.

        Raises:
            BadInput: for a port that is occupied.
        """
        try:
            await self._open()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything; nothing is left running."""
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        self._sockets.cut_all()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def advance_to(self, at: datetime) -> None:
        """Play the market up to `at`, as POST /sim/clock does."""
        await set_clock(self.simulation, {"advance_to": at.isoformat()})

    def book(self) -> dict[str, Any]:
        """Return the true books, as GET /sim/book does."""
        return book(self.simulation)

    async def _open(self) -> None:
        options = self.options
        pace = Pace(options.calls_per_second, time.monotonic)
        gateway = Gateway(self.simulation, self.office, options.mode, pace)
        http = HttpSide(self.simulation, gateway, self.office, self._faults_changed)
        port = await self._listen(web.Server(http.serve), "--port", options.port)
        self.url = f"http://{options.host}:{port}"
        ws_port = await self._listen(web.Server(self._sockets.serve), "--ws-port", options.ws_port)
        self.ws_url = f"ws://{options.host}:{ws_port}"
        self._pump = asyncio.create_task(self._let_time_pass())

    async def _listen(self, server: web.Server, option: str, port: int) -> int:
        runner = web.ServerRunner(server, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, self.options.host, port)
        try:
            await site.start()
        except (OSError, OverflowError) as problem:
            where = f"{self.options.host}:{port}"
            raise BadInput(option, where, f"a free port ({problem})") from problem
        found: int = runner.addresses[0][1]
        return found

    async def _let_time_pass(self) -> None:
        """Play the market while its clock runs."""
        while True:
            await self.simulation.advance_to(self.simulation.clock.now())
            await asyncio.sleep(_PUMP_SECONDS)

    def _faults_changed(self) -> None:
        self.simulation.faults_changed()
        self._sockets.faults_changed()
