"""This is how prefect.yaml reaches the Prefect server, without ever un-pausing anything.

`prefect deploy` sends `paused: false` with every deployment and re-activates schedules. A paused deployment
is a closed kill switch here, so registration sends neither: an update names only what prefect.yaml says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from deployments.entries import DeploymentEntry, PoolEntry, ScheduleEntry


async def make_pools(client: PrefectClient, pools: Iterable[PoolEntry]) -> None:
    """Create the work pools that are missing; one that is there stays as it is, paused or not."""
    for name in sorted({pool.name for pool in pools}):
        try:
            await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        except ObjectAlreadyExists:
            continue


async def register(client: PrefectClient, entries: Sequence[DeploymentEntry]) -> None:
    """Create or update every deployment of `entries` and their pools; doing it again changes nothing."""
    await make_pools(client, (entry.work_pool for entry in entries))
    existing = {deployment.name: deployment for deployment in await client.read_deployments()}
    for entry in entries:
        await _apply(client, entry, existing.get(entry.name))


async def _apply(
    client: PrefectClient, entry: DeploymentEntry, existing: DeploymentResponse | None
) -> None:
    if existing is None:
        await _create(client, entry)
    elif not _is_current(existing, change := _change(entry, existing)):
        await _drop_former_schedules(client, entry, existing)
        await client.update_deployment(existing.id, change)


def _load(entry: DeploymentEntry) -> Flow[..., Any]:
    return load_flow_from_entrypoint(entry.entrypoint, use_placeholder_flow=False)


async def _create(client: PrefectClient, entry: DeploymentEntry) -> None:
    flow = _load(entry)
    await client.create_deployment(
        flow_id=await client.create_flow(flow),
        name=entry.name,
        description=entry.description,
        entrypoint=entry.entrypoint,
        tags=list(entry.tags),
        parameters=entry.parameters,
        parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
        schedules=[_new_schedule(schedule) for schedule in entry.schedules],
        work_pool_name=entry.work_pool.name,
        work_queue_name=entry.work_pool.work_queue_name,
        job_variables=entry.work_pool.job_variables,
        pull_steps=[],
    )


def _change(entry: DeploymentEntry, existing: DeploymentResponse) -> DeploymentUpdate:
    flow = _load(entry)
    return DeploymentUpdate(
        description=entry.description,
        entrypoint=entry.entrypoint,
        tags=list(entry.tags),
        parameters=entry.parameters,
        parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
        schedules=_schedule_changes(entry, existing.schedules),
        work_pool_name=entry.work_pool.name,
        work_queue_name=entry.work_pool.work_queue_name,
        job_variables=entry.work_pool.job_variables,
        pull_steps=[],
    )


def _is_current(existing: DeploymentResponse, change: DeploymentUpdate) -> bool:
    """Tell whether `change` would change nothing: an update deletes runs that are already scheduled."""
    wanted = change.model_dump(exclude_unset=True, exclude={"schedules"})
    found = existing.model_dump(include=set(wanted))
    return found == wanted and _timetable(existing.schedules) == _timetable(change.schedules or ())


def _timetable(
    schedules: Iterable[DeploymentSchedule | DeploymentScheduleUpdate],
) -> set[tuple[str, str, str]]:
    return {(str(s.slug), repr(s.schedule), repr(s.parameters or {})) for s in schedules}


async def _drop_former_schedules(
    client: PrefectClient, entry: DeploymentEntry, existing: DeploymentResponse
) -> None:
    """Delete schedules that stood in prefect.yaml once; those without a slug were made in the UI."""
    slugs = {schedule.slug for schedule in entry.schedules}
    for schedule in existing.schedules:
        if schedule.slug and schedule.slug not in slugs:
            await client.delete_deployment_schedule(existing.id, schedule.id)


def _schedule_changes(
    entry: DeploymentEntry, existing: Sequence[DeploymentSchedule]
) -> list[DeploymentScheduleUpdate]:
    """Return the file's schedules, and those made in the UI as they are.

    The server changes schedules in place as long as all have slugs. With one that has none it makes all of
    them anew, and would switch them on: so each keeps the state that it had.
    """
    foreign = [schedule for schedule in existing if not schedule.slug]
    states = {schedule.slug: schedule.active for schedule in existing if schedule.slug}
    ours = [_changed_schedule(schedule, states if foreign else {}) for schedule in entry.schedules]
    return [*ours, *(_kept_schedule(schedule) for schedule in foreign)]


def _changed_schedule(schedule: ScheduleEntry, states: dict[str, bool]) -> DeploymentScheduleUpdate:
    change = DeploymentScheduleUpdate(
        slug=schedule.slug, schedule=_cron(schedule), parameters=schedule.parameters
    )
    if schedule.slug in states:
        change.active = states[schedule.slug]
    return change


def _kept_schedule(schedule: DeploymentSchedule) -> DeploymentScheduleUpdate:
    return DeploymentScheduleUpdate(
        schedule=schedule.schedule, active=schedule.active, parameters=schedule.parameters
    )


def _new_schedule(schedule: ScheduleEntry) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        slug=schedule.slug, schedule=_cron(schedule), parameters=schedule.parameters
    )


def _cron(schedule: ScheduleEntry) -> CronSchedule:
    return CronSchedule(cron=schedule.cron, timezone=schedule.timezone, day_or=schedule.day_or)
