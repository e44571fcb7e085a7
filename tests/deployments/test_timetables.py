"""The timetable of a day is what Prefect's active schedules say, nothing else."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from deployments.timetables import firings_of

DAY = date(2018, 1, 16)
SATURDAY = date(2018, 1, 20)


def a_schedule(cron: str, *, is_active: bool = True) -> DeploymentSchedule:
    rule = CronSchedule(cron=cron, timezone="Asia/Seoul")
    return DeploymentSchedule(
        schedule=rule, active=is_active, max_scheduled_runs=None, parameters={"cron": cron}
    )


def a_deployment(
    name: str, *schedules: DeploymentSchedule, is_paused: bool = False
) -> DeploymentResponse:
    return DeploymentResponse(
        id=uuid4(),
        name=name,
        flow_id=uuid4(),
        paused=is_paused,
        schedules=list(schedules),
        labels={},
    )


async def test_firings_come_in_the_order_of_their_time_in_seoul() -> None:
    late = a_deployment("late", a_schedule("50 15 * * 1-5"))
    early = a_deployment("early", a_schedule("50 7 * * 1-5"), a_schedule("0 12 * * 1-5"))

    firings = await firings_of([late, early], DAY)

    assert [(f"{f.at:%Y-%m-%d %H:%M%z}", f.name) for f in firings] == [
        ("2018-01-16 07:50+0900", "early"),
        ("2018-01-16 12:00+0900", "early"),
        ("2018-01-16 15:50+0900", "late"),
    ]
    assert firings[0].parameters == {"cron": "50 7 * * 1-5"}


async def test_a_day_begins_and_ends_at_midnight_in_seoul() -> None:
    deployment = a_deployment("night", a_schedule("0 0 * * *"), a_schedule("59 23 * * *"))

    firings = await firings_of([deployment], DAY)

    assert [f"{f.at:%d %H:%M}" for f in firings] == ["16 00:00", "16 23:59"]


async def test_what_is_paused_or_switched_off_is_not_due() -> None:
    paused = a_deployment("paused", a_schedule("0 9 * * *"), is_paused=True)
    half = a_deployment("half", a_schedule("0 9 * * *", is_active=False), a_schedule("0 10 * * *"))

    assert [f"{f.at:%H:%M}" for f in await firings_of([paused, half], DAY)] == ["10:00"]


async def test_nothing_is_due_on_a_saturday() -> None:
    assert await firings_of([a_deployment("daily", a_schedule("0 9 * * 1-5"))], SATURDAY) == ()
