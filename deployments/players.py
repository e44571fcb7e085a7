"""This is the player of simulated days: it moves the market's clock and starts what is due, when it is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from deployments.simulator import SimulatorControl
from deployments.stale_runs import STREAMING
from deployments.timetables import Firing, firings_of
from deployments.timings import Timings
from trading.sessions import KST, session_of

SLICE: Final = timedelta(minutes=3)
"""Of market time that passes at once while the stream listens; then the clock stands, as a price grows old."""
SLICE_SECONDS: Final = 0.05
SETTLE_SECONDS: Final = 0.3
STREAM_ENDS_AFTER: Final = timedelta(minutes=5)
RUN_PATIENCE: Final = 200.0
STREAM_PATIENCE: Final = 60.0
_LOOK_SECONDS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Ending:
    """How one flow run ended; `at` is the market's time at which it was due."""

    at: datetime
    name: str
    state: str
    sentence: str
    seconds: float
    is_success: bool


class Screen(Protocol):
    """Who watches."""

    def begin_day(self, day: date) -> None:
        """A trading day begins."""
        ...

    def wait_for(self, at: datetime, name: str) -> None:
        """A run is under way, or the market is (without a name)."""
        ...

    def end(self, ending: Ending) -> None:
        """A run has ended."""
        ...


@dataclass(slots=True)
class Player:
    """Plays days on one Prefect server and one simulator."""

    client: PrefectClient
    control: SimulatorControl
    screen: Screen
    timings: Timings
    endings: list[Ending] = field(default_factory=list)
    _stream: tuple[Firing, FlowRun, float] | None = None
    _began: str = field(default_factory=lambda: f"{time.monotonic_ns():x}")

    async def play(self, days: Iterable[date]) -> None:
        """Play these days, one after the other."""
        for day in days:
            self.screen.begin_day(day)
            await self._play_day(day)

    async def _play_day(self, day: date) -> None:
        done = (datetime.combine(day, datetime.min.time(), KST), "")
        while firing := await self._next(day, done):
            await self._pass_time(firing.at)
            await self._fire(firing)
            done = (firing.at, firing.name)
        await self._end_stream()

    async def _next(self, day: date, done: tuple[datetime, str]) -> Firing | None:
        """Ask Prefect each time: what is paused or switched off meanwhile is not due any more."""
        firings = await firings_of(await self.client.read_deployments(), day)
        return next((f for f in firings if (f.at, f.name) > done), None)

    async def _pass_time(self, at: datetime) -> None:
        """Let the market play up to `at`, in slices while the stream listens."""
        now, session = await self.control.now(), session_of(at.astimezone(KST).date())
        if now >= at:
            return
        self.screen.wait_for(at, "")
        while self._stream is not None and now < min(at, session.closes_at):
            now = min(max(now + SLICE, session.opens_at), at)
            await self._step(now)
        await self.control.step_to(at)
        if at >= session.closes_at + STREAM_ENDS_AFTER:
            await self._end_stream()

    async def _step(self, at: datetime) -> None:
        """Play one slice, then stand as long as somebody deals with the broker: no price grows old under a decision."""
        before = await self.control.calls()
        await self.control.step_to(at)
        await asyncio.sleep(SLICE_SECONDS)
        while (now := await self.control.calls()) != before:
            before = now
            await asyncio.sleep(SETTLE_SECONDS)

    async def _fire(self, firing: Firing) -> None:
        self.screen.wait_for(firing.at, firing.name)
        began = time.monotonic()
        deployment = await self.client.read_deployment(firing.deployment_id)
        run = await self.client.create_flow_run_from_deployment(
            firing.deployment_id,
            parameters=firing.parameters,
            idempotency_key=f"{self._began} {firing.name} {firing.at.isoformat()}",
            tags=["demo"],
        )
        is_stream = STREAMING in deployment.tags
        run = await self._follow(run.id, until_running=is_stream)
        if is_stream and not _is_final(run):
            self._stream = (firing, run, began)
            return
        self._tell(firing, run, began)
        await self._note_progress(firing.name)

    async def _end_stream(self) -> None:
        if self._stream is None:
            return
        firing, run, began = self._stream
        self.screen.wait_for(firing.at, firing.name)
        self._stream = None
        self._tell(firing, await self._follow(run.id, patience=STREAM_PATIENCE), began)

    async def _follow(
        self, run_id: UUID, *, until_running: bool = False, patience: float = RUN_PATIENCE
    ) -> FlowRun:
        """Wait for a run's end, or its beginning; one that takes too long is given as it stands."""
        deadline = time.monotonic() + patience
        while True:
            run = await self.client.read_flow_run(run_id)
            is_there = until_running and run.state is not None and run.state.is_running()
            if _is_final(run) or is_there or time.monotonic() > deadline:
                return run
            await asyncio.sleep(_LOOK_SECONDS)

    def _tell(self, firing: Firing, run: FlowRun, began: float) -> None:
        state = run.state
        ending = Ending(
            at=firing.at,
            name=firing.name,
            state=state.name or "" if state else "",
            sentence=state.message or "" if state else "",
            seconds=time.monotonic() - began,
            is_success=state is not None and state.is_completed(),
        )
        self.endings.append(ending)
        self.screen.end(ending)

    async def _note_progress(self, name: str) -> None:
        noted = {phase.name for phase in self.timings.phases}
        if name == "eod-report" and "first report" not in noted:
            self.timings.note("first report")
        if name == "place-orders" and "first order" not in noted:
            book = await self.control.book()
            if any(account["orders"] for account in book["accounts"]):
                self.timings.note("first order")


def _is_final(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()
