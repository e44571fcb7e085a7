"""This is everything that the stack tells its Prefect server; importing it takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectException

from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from adapters.notifier import Message
from adapters.wording import Wording
from deployments.entries import read_entries, scheduled
from deployments.environments import POOL
from deployments.mirror import Mirror, way_in
from deployments.register import make_pools, register
from deployments.safety_net import spread_safety_net
from deployments.stale_runs import (
    SESSION,
    cancel_active_runs,
    requeue_lost_runs,
    revive_streams,
    settle_runs,
)
from flows.desk import open_owner_channel
from flows.settings import Settings
from flows.sources import channel_in_force, open_clock, open_stores
from tasks.channels import ClockSource
from trading.errors import MaemaeError

type Schedules = dict[str, dict[str, str]]

_LOOK_SECONDS: Final = 5
_END_RUNS_LOOKS: Final = 18
_END_RUNS_PAUSE: Final = 0.25
"""Seconds between two looks: 4.5 s in all."""


@dataclass(frozen=True, slots=True)
class Orchestration:
    """One server at `api_url`, used for the channel of `settings`."""

    api_url: str
    settings: Settings
    began_at: datetime = field(default_factory=lambda: SystemClock().now())

    @property
    def lateness(self) -> timedelta:
        """How late a run may begin; in simulated time nothing of an earlier market goes on."""
        channel = channel_in_force(self.settings)
        is_simulated = channel.clock is ClockSource.SIMULATOR
        return timedelta(seconds=0 if is_simulated else channel.lateness_seconds)

    def prepare(self) -> None:
        """Make the pool and settle what an earlier stack left unfinished. No worker may run."""

        async def acts(client: PrefectClient) -> None:
            await make_pools(client, (entry.work_pool for entry in read_entries()))
            now = SystemClock().now()
            await settle_runs(client, at=now, lateness=self.lateness, wording=self._wording)

        self._talk(acts)

    def schedules(self) -> Schedules:
        """Give the times of the version in force."""
        return channel_in_force(self.settings).schedules

    def follow(self, known: Schedules) -> Schedules:
        """Bring other times to the server when a newer version says so; give those that are there then."""
        try:
            if (wanted := self.schedules()) != known:
                self.register(wanted)
        except (MaemaeError, PrefectException, httpx.HTTPError):
            return known  # looked at again soon
        return wanted

    def register(self, schedules: Schedules) -> None:
        """Bring prefect.yaml at these times, and the safety net, to the server."""

        async def acts(client: PrefectClient) -> None:
            await register(client, scheduled(read_entries(), schedules))
            await spread_safety_net(client, self.settings.slack, self._wording)

        self._talk(acts)

    def requeue_lost_runs(self) -> None:
        """Let runs start again that a dead worker had taken and not begun."""

        async def acts(client: PrefectClient) -> None:
            await requeue_lost_runs(client, at=SystemClock().now(), wording=self._wording)

        self._talk(acts)

    def revive_streams(self) -> None:
        """See that the session's stream lives; no answer is no obstacle, for the next look is soon."""
        at = SystemClock().now()
        since = at - SESSION if self.lateness else self.began_at

        async def acts(client: PrefectClient) -> None:
            async with asyncio.timeout(_LOOK_SECONDS):
                await revive_streams(client, at=at, since=since, wording=self._wording)

        try:
            self._talk(acts, retries=0)
        except (PrefectException, httpx.HTTPError, TimeoutError):
            return

    def tell(self, message: Callable[[Wording], Message]) -> None:
        """Send the owner a message."""
        notifier, wording = open_owner_channel(self.settings)
        notifier.send(message(wording))

    def end_runs(self) -> None:
        """Ask the runs under way to end in order and wait for them a few seconds; no answer is no obstacle."""

        async def acts(client: PrefectClient) -> None:
            for _ in range(_END_RUNS_LOOKS):
                if not await cancel_active_runs(client, self._wording):
                    return
                await asyncio.sleep(_END_RUNS_PAUSE)

        try:
            self._talk(acts, retries=0)
        except (PrefectException, httpx.HTTPError):
            return

    def mirror(self) -> Mirror:
        """Make the watcher over this server's pauses."""
        channel = channel_in_force(self.settings)
        notifier, wording = open_owner_channel(self.settings)
        return Mirror(
            api_url=self.api_url,
            auth=self.settings.prefect_auth,
            pool=POOL,
            halt_file=HaltFile(self.settings.halt_file),
            stores=open_stores(self.settings),
            clock=open_clock(self.settings, channel),
            notifier=notifier,
            wording=wording,
            lateness=timedelta(seconds=channel.lateness_seconds),
        )

    @property
    def _wording(self) -> Wording:
        return Wording(self.settings.language)

    def _talk(self, acts: Callable[[PrefectClient], Awaitable[Any]], *, retries: int = 5) -> None:
        async def talk() -> None:
            async with get_client() as client:
                await acts(client)

        with way_in(self.api_url, self.settings.prefect_auth, retries=retries):
            asyncio.run(talk())
