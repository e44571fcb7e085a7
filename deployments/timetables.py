"""This is when deployments are due on a day: read from Prefect, worked out by Prefect's own schedules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule as ClientCronSchedule
from prefect.server.schemas.schedules import CronSchedule

from trading.sessions import KST

_MOST_A_DAY = 100


@dataclass(frozen=True, slots=True)
class Firing:
    """One time at which a deployment is due, `at` in Seoul."""

    at: datetime
    name: str
    deployment_id: UUID
    parameters: dict[str, Any] = field(default_factory=dict)


async def firings_of(deployments: Iterable[DeploymentResponse], day: date) -> tuple[Firing, ...]:
    """Return what is due on `day`, in order: active schedules of deployments that are not paused."""
    firings = [
        firing
        for deployment in deployments
        if not deployment.paused
        for schedule in deployment.schedules
        if schedule.active
        for firing in await _firings(deployment, schedule, day)
    ]
    return tuple(sorted(firings, key=lambda firing: (firing.at, firing.name)))


async def _firings(
    deployment: DeploymentResponse, schedule: DeploymentSchedule, day: date
) -> list[Firing]:
    rule = schedule.schedule
    if not isinstance(rule, ClientCronSchedule):
        return []
    midnight = datetime.combine(day, datetime.min.time(), KST)
    ours = CronSchedule(cron=rule.cron, timezone=rule.timezone, day_or=rule.day_or)
    times = await ours.get_dates(
        n=_MOST_A_DAY, start=midnight, end=midnight + timedelta(days=1, microseconds=-1)
    )
    return [
        Firing(at.astimezone(KST), deployment.name, deployment.id, dict(schedule.parameters))
        for at in times
    ]
