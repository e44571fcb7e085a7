"""This is the watcher that makes pausing in Prefect a kill switch: in the UI, by CLI or by API.

Prefect's own pauses stop only its scheduler: a run started by hand, or one that runs already, goes on. So what
is paused there becomes a halt here, which every path to the broker reads before it orders.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import WorkQueue
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from adapters.clock import Clock, SystemClock
from adapters.notifier import Message, Notifier, Severity
from adapters.stores import AuditEntry, Stores, UnitOfWork
from adapters.wording import Wording
from deployments.stale_runs import cancel_late_runs
from trading.errors import MaemaeError
from trading.halts import Halt, TradingState

PREFIX: Final = "prefect:"
HALTING: Final = ("place-orders", "generate-signals")
"""Deployments whose pause stops all new orders. Reports and data may be paused without that."""
PAUSE_SECONDS: Final = 1.2
"""Between two looks, so that a pause works within 2 s."""
_ALIVE_WITHIN: Final = 30.0
_LATE_RUNS_EVERY: Final = 15.0


@dataclass(kw_only=True)
class Mirror:
    """Looks at one Prefect server and keeps our halts like its pauses, in a thread of its own.

    While Prefect or the database cannot be reached, the halts stay as they are. Scheduled runs that a paused
    pool keeps waiting longer than `lateness` are canceled.
    """

    api_url: str
    pool: str
    stores: Stores
    clock: Clock
    notifier: Notifier
    wording: Wording
    lateness: timedelta
    name: str = "mirror"
    last_words: str = "-"
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _looked_at: float = 0.0
    _cleared_at: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it looks: the thread lives and is not stuck."""
        is_alive = self._thread is not None and self._thread.is_alive()
        return is_alive and time.monotonic() - self._looked_at < _ALIVE_WITHIN

    def start(self) -> None:
        """Begin to look."""
        self._stopped = threading.Event()
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self, *, within: float) -> None:
        """Stop looking; the halts stay."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=within)

    def _run(self) -> None:
        # No retries inside the client: they would make us blind for a minute after an outage.
        here = {PREFECT_API_URL: self.api_url, PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(here):
            asyncio.run(self._watch(self._stopped))

    async def _watch(self, stopped: threading.Event) -> None:
        async with get_client() as client:
            while not stopped.is_set():
                try:
                    await self.look(client)
                except (PrefectException, httpx.HTTPError, MaemaeError) as error:
                    self.last_words = f"{type(error).__name__}: {error}"
                self._looked_at = time.monotonic()
                await asyncio.sleep(PAUSE_SECONDS)

    async def look(self, client: PrefectClient) -> None:
        """Look once: what is paused there is halted here, what is not is not."""
        pauses = await read_pauses(client, self.pool)
        changes = await asyncio.to_thread(self._write, pauses)
        for message in changes:
            self.notifier.send(message)
        if f"{PREFIX}pool" in pauses and time.monotonic() - self._cleared_at > _LATE_RUNS_EVERY:
            # Nothing starts while the pool is paused, and all that waits would start when it is not.
            self._cleared_at = time.monotonic()
            before = SystemClock().now() - self.lateness
            await cancel_late_runs(client, before=before, wording=self.wording)

    def _write(self, pauses: Mapping[str, str]) -> list[Message]:
        with self.stores.begin() as work:
            ours = {h.source: h for h in work.halts.in_force() if h.source.startswith(PREFIX)}
            added, gone = sorted(pauses.keys() - ours), sorted(ours.keys() - pauses.keys())
            if not added and not gone:
                return []
            at = self.clock.now()
            halted = [self._put(work, source, pauses[source], at) for source in added]
            return halted + [self._lift(work, ours[source], at) for source in gone]

    def _put(self, work: UnitOfWork, source: str, cause: str, at: datetime) -> Message:
        reason = self.wording.text(f"mirror.{cause}", name=source.removeprefix(PREFIX))
        work.halts.put(Halt(source, TradingState.HALTED, reason, at))
        work.audit.add(AuditEntry(source, "halt", {"reason": reason}), at=at)
        title = self.wording.text("halt.halted.title", state=TradingState.HALTED)
        return Message(Severity.CRITICAL, title, reason)

    def _lift(self, work: UnitOfWork, halt: Halt, at: datetime) -> Message:
        reason = self.wording.text("mirror.resumed", name=halt.source.removeprefix(PREFIX))
        work.halts.lift(halt.source, reason=reason, at=at)
        work.audit.add(AuditEntry(halt.source, "resume", {"reason": reason}), at=at)
        title = self.wording.text("halt.resumed.title")
        return Message(Severity.WARNING, title, reason)


async def read_pauses(client: PrefectClient, pool: str) -> dict[str, str]:
    """Return what is paused: the source of the halt -> what was paused (deployment, schedule, pool, queue)."""
    name = DeploymentFilterName(any_=list(HALTING))
    deployments = await client.read_deployments(deployment_filter=DeploymentFilter(name=name))
    pauses = {f"{PREFIX}{d.name}": cause for d in deployments if (cause := _cause(d))}
    if (await client.read_work_pool(pool)).is_paused:
        pauses[f"{PREFIX}pool"] = "pool"
    elif _is_any_paused(await client.read_work_queues(work_pool_name=pool)):
        pauses[f"{PREFIX}pool"] = "queue"
    return pauses


def _cause(deployment: DeploymentResponse) -> str:
    if deployment.paused:
        return "deployment"
    return "" if all(schedule.active for schedule in deployment.schedules) else "schedule"


def _is_any_paused(queues: Iterable[WorkQueue]) -> bool:
    return any(queue.is_paused for queue in queues)
