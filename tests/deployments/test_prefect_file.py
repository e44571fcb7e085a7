"""prefect.yaml promises to fit the flows, to follow the Korean market's hours and to un-pause nothing."""

from __future__ import annotations

import inspect
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema

from deployments.entries import PREFECT_FILE, DeploymentEntry, read_entries
from trading.errors import InvalidSetting
from trading.sessions import session_of

SEOUL = ZoneInfo("Asia/Seoul")
ENTRIES = {entry.name: entry for entry in read_entries()}
TUESDAY = date(2026, 11, 24)


def flow_of(entry: DeploymentEntry) -> Flow[..., Any]:
    return load_flow_from_entrypoint(entry.entrypoint, use_placeholder_flow=False)


async def times_of(entry: DeploymentEntry, first: date, last: date) -> list[datetime]:
    start, end = (datetime.combine(day, time.min, SEOUL) for day in (first, last))
    found: list[datetime] = []
    for schedule in entry.schedules:
        rule = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
        found += [at.astimezone(SEOUL) for at in await rule.get_dates(n=100, start=start, end=end)]
    return sorted(found)


def test_every_flow_has_a_deployment_of_its_name() -> None:
    flows = {
        path.stem.replace("_", "-")
        for path in (PREFECT_FILE.parent / "flows").glob("*.py")
        if "@flow" in path.read_text("utf-8")
    }

    assert flows == set(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entrypoint_imports_the_flow_of_the_same_name(name: str) -> None:
    flow = flow_of(ENTRIES[name])

    assert flow.name == name
    assert flow.isasync, "a sync flow waits a second for its heartbeat"


@pytest.mark.parametrize("name", ENTRIES)
def test_parameters_fit_the_flow(name: str) -> None:
    entry = ENTRIES[name]
    flow = flow_of(entry)

    flow.validate_parameters(entry.parameters | needed(flow))
    for schedule in entry.schedules:
        flow.validate_parameters(entry.parameters | schedule.parameters)


def needed(flow: Flow[..., Any]) -> dict[str, Any]:
    """Values for what only a person can give, such as a reason."""
    parameters = inspect.signature(flow.fn).parameters.values()
    return {p.name: "words" for p in parameters if p.default is inspect.Parameter.empty}


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.schedules])
def test_a_scheduled_flow_needs_nobody_to_fill_in_a_form(name: str) -> None:
    assert needed(flow_of(ENTRIES[name])) == {}


@pytest.mark.parametrize("name", ENTRIES)
def test_every_parameter_has_a_type_in_the_form(name: str) -> None:
    properties = parameter_schema(flow_of(ENTRIES[name])).properties

    assert [
        key for key, value in properties.items() if not {"type", "anyOf", "enum"} & set(value)
    ] == []


def test_descriptions_are_korean_and_tags_are_there() -> None:
    for entry in ENTRIES.values():
        assert any("가" <= letter <= "힣" for letter in entry.description), entry.name
        assert entry.tags, entry.name


async def test_schedules_fire_on_weekdays_in_seoul_only() -> None:
    for entry in ENTRIES.values():
        times = await times_of(entry, date(2026, 11, 23), date(2026, 11, 30))
        assert {at.weekday() for at in times} <= {0, 1, 2, 3, 4}, entry.name
        assert len(times) == 5 * len(entry.schedules), entry.name
        assert {schedule.timezone for schedule in entry.schedules} <= {"Asia/Seoul"}


async def test_the_day_runs_in_the_order_in_which_each_part_needs_the_other() -> None:
    times = {
        name: await times_of(entry, TUESDAY, date(2026, 11, 25)) for name, entry in ENTRIES.items()
    }
    session = session_of(TUESDAY)

    assert times["refresh-token"][0] < times["ingest-bars"][0] < times["generate-signals"][0]
    assert times["generate-signals"][0] < times["stream-fills"][0] < times["place-orders"][0]
    assert times["place-orders"][0] < session.opens_at < times["reconcile-fills"][0]
    assert times["generate-signals"][1] < times["place-orders"][1] < session.closes_at
    assert session.closes_at < times["reconcile-fills"][-1] < times["ingest-bars"][-1]
    assert times["ingest-bars"][-1] < times["eod-report"][0]


def test_every_schedule_has_a_slug_of_its_own() -> None:
    for entry in ENTRIES.values():
        slugs = [schedule.slug for schedule in entry.schedules]
        assert len(slugs) == len(set(slugs)), entry.name


def test_nothing_in_the_file_could_un_pause_or_starve_a_deployment() -> None:
    document = yaml.safe_load(PREFECT_FILE.read_text("utf-8"))

    assert document["pull"] == []
    for row in document["deployments"]:
        assert not {"paused", "schedule", "concurrency_limit"} & row.keys()
        assert not [schedule for schedule in row.get("schedules", ()) if "active" in schedule]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("deployments: [", "prefect.yaml"),
        ("name: maemae", "prefect.yaml"),
        ("deployments: [{name: a}]", "prefect.yaml: a.description"),
        (
            "deployments: [{name: a, description: b, entrypoint: c, work_pool: {name: d}, paused: false}]",
            "prefect.yaml: a.paused",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_field(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "prefect.yaml"
    file.write_text(text)

    with pytest.raises(InvalidSetting) as refused:
        read_entries(file)

    assert refused.value.field == field
