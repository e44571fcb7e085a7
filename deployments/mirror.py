"""This is the watcher that makes pausing in Prefect a kill switch: in the UI, by CLI or by API.

Prefect's own pauses stop only its scheduler: a run started by hand, or one that runs already, goes on. So what
is paused there becomes a halt here, which every path to the broker reads before it orders.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import WorkQueue
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import PrefectException
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)
from pydantic import SecretStr

from adapters.clock import Clock, SystemClock
from adapters.halt_files import HaltFile
from adapters.halt_messages import trading_halted
from adapters.notifier import Message, Notifier, Severity
from adapters.stores import AuditEntry, Stores, UnitOfWork
from adapters.wording import Wording
from deployments.stale_runs import cancel_late_runs
from trading.errors import MaemaeError
from trading.halts import Halt, TradingState

PREFIX: Final = "prefect:"
HALTING: Final = ("place-orders", "generate-signals")
"""Flows whose deployments' pause stops new orders. Reports and data may be paused without that.

A deployment of generate-signals whose parameter `strategy_id` names a strategy stops that strategy only.
"""
PAUSE_SECONDS: Final = 0.5
"""Between two looks, so that a pause works within 1 s."""
_ALIVE_WITHIN: Final = 30.0
_LATE_RUNS_EVERY: Final = 15.0


@contextmanager
def way_in(api_url: str, auth: SecretStr | None, *, retries: int) -> Iterator[None]:
    """Let Prefect's clients within speak to one server, with its password if it has one."""
    here: dict[Any, Any] = {
        PREFECT_API_URL: api_url,
        PREFECT_CLIENT_MAX_RETRIES: retries,
    }
    if auth is not None:
        here[PREFECT_API_AUTH_STRING] = auth.get_secret_value()
    with temporary_settings(here):
        yield


@dataclass(frozen=True, slots=True)
class Pause:
    """Something that is paused in Prefect: its name, what it is (deployment, schedule, pool, queue), whom it stops."""

    name: str
    cause: str
    strategy_id: str = ""

    @property
    def source(self) -> str:
        """The source of the halt that mirrors it."""
        return f"{PREFIX}{self.name}"


@dataclass(kw_only=True)
class Mirror:
    """Looks at one Prefect server and keeps our halts like its pauses, in a thread of its own.

    A pause is on disk before it is in the database, and works while that is down. While Prefect cannot be
    reached the halts stay as they are; while the database cannot, none is lifted. Scheduled runs that a paused pool
    keeps waiting longer than `lateness` are canceled.
    """

    api_url: str
    pool: str
    halt_file: HaltFile
    stores: Stores
    clock: Clock
    notifier: Notifier
    wording: Wording
    lateness: timedelta
    auth: SecretStr | None = None
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
        with way_in(self.api_url, self.auth, retries=0):
            asyncio.run(self._watch(self._stopped))

    async def _watch(self, stopped: threading.Event) -> None:
        async with get_client() as client:
            while not stopped.is_set():
                try:
                    await self.look(client)
                except (PrefectException, httpx.HTTPError, MaemaeError, OSError) as error:
                    self.last_words = f"{type(error).__name__}: {error}"
                self._looked_at = time.monotonic()
                await asyncio.sleep(PAUSE_SECONDS)

    async def look(self, client: PrefectClient) -> None:
        """Look once: what is paused there is halted here, what is not is not."""
        pauses = {pause.source: pause for pause in await read_pauses(client, self.pool)}
        await asyncio.to_thread(self._follow, pauses)
        if f"{PREFIX}pool" in pauses and time.monotonic() - self._cleared_at > _LATE_RUNS_EVERY:
            # Nothing starts while the pool is paused, and all that waits would start when it is not.
            self._cleared_at = time.monotonic()
            before = SystemClock().now() - self.lateness
            await cancel_late_runs(client, before=before, wording=self.wording)

    def _follow(self, pauses: Mapping[str, Pause]) -> None:
        """Write what changed: new halts to disk first, ends to disk last, so that a crash in between stays stopped."""
        at = self.clock.now()
        on_disk = self._ours(self.halt_file.read(at=at))
        for source in sorted(pauses.keys() - on_disk):
            halt = self._halt(pauses[source], at)
            self.halt_file.put(halt)
            self.notifier.send(trading_halted(halt, self.wording))
        with self.stores.begin() as work:
            in_rows = self._ours(work.halts.in_force())
            for source in sorted(pauses.keys() - in_rows):
                self._put(work, self._halt(pauses[source], at))
            ended = [in_rows[source] for source in sorted(in_rows.keys() - pauses.keys())]
            for halt in ended:
                self._lift(work, halt, at)
        for halt in ended:
            self.notifier.send(Message(Severity.WARNING, self._title, self._end_of(halt)))
        for source in sorted(on_disk.keys() - pauses.keys()):
            halt = on_disk[source]
            self.halt_file.lift(source, strategy_id=halt.strategy_id, at=at)

    @staticmethod
    def _ours(halts: Iterable[Halt]) -> dict[str, Halt]:
        return {halt.source: halt for halt in halts if halt.source.startswith(PREFIX)}

    def _halt(self, pause: Pause, at: datetime) -> Halt:
        stopped = pause.strategy_id or self.wording.text("mirror.everything")
        words = self.wording.text(f"mirror.{pause.cause}", name=pause.name, stopped=stopped)
        return Halt(pause.source, TradingState.HALTED, words, at, pause.strategy_id)

    @staticmethod
    def _put(work: UnitOfWork, halt: Halt) -> None:
        work.halts.put(halt)
        detail = {"reason": halt.reason, "strategy_id": halt.strategy_id}
        work.audit.add(AuditEntry(halt.source, "halt", detail), at=halt.at)

    def _lift(self, work: UnitOfWork, halt: Halt, at: datetime) -> None:
        reason = self._end_of(halt)
        work.halts.lift(halt.source, strategy_id=halt.strategy_id, reason=reason, at=at)
        work.audit.add(AuditEntry(halt.source, "resume", {"reason": reason}), at=at)

    def _end_of(self, halt: Halt) -> str:
        return self.wording.text("mirror.resumed", name=halt.source.removeprefix(PREFIX))

    @property
    def _title(self) -> str:
        return self.wording.text("halt.resumed.title")


async def read_pauses(client: PrefectClient, pool: str) -> tuple[Pause, ...]:
    """Return what is paused among all that orders come from."""
    flows = FlowFilter(name=FlowFilterName(any_=list(HALTING)))
    deployments, work_pool, queues = await asyncio.gather(
        client.read_deployments(flow_filter=flows),
        client.read_work_pool(pool),
        client.read_work_queues(work_pool_name=pool),
    )
    pauses = [Pause(d.name, cause, _strategy_of(d)) for d in deployments if (cause := _cause(d))]
    if work_pool.is_paused:
        pauses.append(Pause("pool", "pool"))
    elif _is_any_paused(queues):
        pauses.append(Pause("pool", "queue"))
    return tuple(pauses)


def _strategy_of(deployment: DeploymentResponse) -> str:
    return str((deployment.parameters or {}).get("strategy_id") or "")


def _cause(deployment: DeploymentResponse) -> str:
    if deployment.paused:
        return "deployment"
    return "" if all(schedule.active for schedule in deployment.schedules) else "schedule"


def _is_any_paused(queues: Iterable[WorkQueue]) -> bool:
    return any(queue.is_paused for queue in queues)
