"""This is what becomes of flow runs whose time has passed, so that going on releases no pile of them."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Cancelling, Crashed, Scheduled

from adapters.wording import Wording
from flows.stories import OVERTAKEN

STREAMING: Final = "streaming"
"""The tag of flows that last a whole session: cut off, they go on whenever the stack is back."""
SESSION: Final = timedelta(hours=8)
STOOD_BACK: Final = frozenset({"Skipped", OVERTAKEN})
"""So ends a run that left the stream to another one: of what becomes of the session it says nothing."""
_REVIVALS: Final = 50
"""What ends as often as this in one day is no accident."""


async def settle_runs(
    client: PrefectClient, *, at: datetime, lateness: timedelta, wording: Wording
) -> None:
    """Settle what an earlier stack left unfinished. Only while no worker runs.

    What was cut off less than `lateness` after its time is run again (our flows may be: an order is known by
    what it is for), and so is a stream within its session. All else is closed; the guards of the flows have
    the last word.
    """
    words = wording.text("runs.cut_off")
    for run in await _runs(client, StateType.RUNNING, StateType.PENDING, StateType.CANCELLING):
        await client.set_flow_run_state(run.id, _settled(run, at, lateness, words), force=True)
    await cancel_late_runs(client, before=at - lateness, wording=wording)


async def cancel_late_runs(client: PrefectClient, *, before: datetime, wording: Wording) -> None:
    """Cancel the runs that should have started before that time and have not."""
    while late := await _runs(client, StateType.SCHEDULED, before=before):
        for run in late:
            state: State[None] = Cancelled(message=wording.text("runs.missed"))
            await client.set_flow_run_state(run.id, state, force=True)


async def requeue_lost_runs(client: PrefectClient, *, at: datetime, wording: Wording) -> None:
    """Schedule anew what a dead worker had taken and not begun: Prefect itself would leave it so for ever."""
    for run in await _runs(client, StateType.PENDING):
        state: State[None] = Scheduled(scheduled_time=at, message=wording.text("runs.cut_off"))
        await client.set_flow_run_state(run.id, state, force=True)


async def revive_streams(
    client: PrefectClient, *, at: datetime, since: datetime, wording: Wording
) -> None:
    """Schedule anew the newest stream due since then that crashed or was killed; one that lives or waits is enough."""
    due = FlowRunFilterExpectedStartTime(after_=since, before_=at)
    tags = FlowRunFilterTags(all_=[STREAMING])
    wanted = FlowRunFilter(expected_start_time=due, tags=tags)
    found = await client.read_flow_runs(flow_run_filter=wanted)
    runs = [run for run in found if run.state_name not in STOOD_BACK]
    runs.sort(key=lambda run: (str(run.deployment_id), run.expected_start_time or at))
    for _, days in groupby(runs, key=lambda run: run.deployment_id):
        *_, newest = alike = list(days)
        if not _is_any_under_way(alike) and _was_cut_off(newest):
            words = wording.text("runs.cut_off")
            state: State[None] = Scheduled(scheduled_time=at, message=words)
            await client.set_flow_run_state(newest.id, state, force=True)


def _is_any_under_way(runs: Iterable[FlowRun]) -> bool:
    waiting = {StateType.PENDING, StateType.SCHEDULED, StateType.CANCELLING}
    return any(
        run.state_type in waiting or (run.state_type is StateType.RUNNING and not _is_dead(run))
        for run in runs
    )


def _was_cut_off(run: FlowRun) -> bool:
    return run.state_type in {StateType.CRASHED, StateType.RUNNING} and run.run_count < _REVIVALS


def _is_dead(run: FlowRun) -> bool:
    """Tell whether a run's process is gone from this machine; nobody else would say so when its worker is gone too."""
    host, _, pid = (run.infrastructure_pid or "").rpartition(":")
    return host in {"", platform.node()} and pid.isdigit() and not _is_engine(pid)


def _is_engine(pid: str) -> bool:
    """Tell whether that process runs a flow: the number may be another's by now."""
    try:
        return b"engine" in Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()  # without /proc nobody can tell


async def cancel_active_runs(client: PrefectClient, wording: Wording) -> bool:
    """Ask every run that is under way to end in order; False when there is none."""
    runs = await _runs(client, StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
    for run in runs:
        if run.state_type is not StateType.CANCELLING:
            state: State[None] = Cancelling(message=wording.text("runs.stopped"))
            await client.set_flow_run_state(run.id, state)
    return bool(runs)


def _settled(run: FlowRun, at: datetime, lateness: timedelta, words: str) -> State[Any]:
    if run.state_type is StateType.CANCELLING:
        return Cancelled(message=words)
    patience = SESSION if lateness and STREAMING in run.tags else lateness
    due = run.expected_start_time
    if due is not None and due > at - patience:
        return Scheduled(scheduled_time=at, message=words)
    return Crashed(message=words)


async def _runs(
    client: PrefectClient, *types: StateType, before: datetime | None = None
) -> list[FlowRun]:
    due = FlowRunFilterNextScheduledStartTime(before_=before) if before else None
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))
    wanted = FlowRunFilter(state=state, next_scheduled_start_time=due)
    return await client.read_flow_runs(flow_run_filter=wanted)
