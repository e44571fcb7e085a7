"""This is prefect.yaml as values: what each deployment is, checked before anything is sent anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.errors import InvalidSetting

PREFECT_FILE: Final = Path(__file__).resolve().parent.parent / "prefect.yaml"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleEntry(_Entry):
    """When a deployment runs. There is no `active`: whoever switched a schedule off decides, not this file."""

    slug: str = Field(description="What a schedule is recognised by when the file changes.")
    cron: str
    timezone: str
    day_or: bool = True
    parameters: dict[str, Any] = Field(default_factory=dict)


class PoolEntry(_Entry):
    """Where a deployment runs, and how."""

    name: str
    work_queue_name: str = "default"
    job_variables: dict[str, Any] = Field(default_factory=dict)


class DeploymentEntry(_Entry):
    """One deployment, named like its flow. There is no `paused`: whoever paused it decides."""

    name: str
    description: str
    entrypoint: str = Field(description="Module path of the flow.")
    tags: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)
    schedules: tuple[ScheduleEntry, ...] = ()
    work_pool: PoolEntry


def scheduled(
    entries: Iterable[DeploymentEntry], schedules: Mapping[str, Mapping[str, str]]
) -> tuple[DeploymentEntry, ...]:
    """Give the deployments at the times that a channel says: flow, slug, cron.

    Raises:
        InvalidSetting: naming a flow or schedule that there is none of.
    """
    entries = tuple(entries)
    known = {entry.name: {schedule.slug for schedule in entry.schedules} for entry in entries}
    for name, times in schedules.items():
        if strangers := times.keys() - known.get(name, set()):
            expected = ", ".join(sorted(known.get(name, set()))) or ", ".join(known)
            raise InvalidSetting(f"schedules.{name}", ", ".join(sorted(strangers)), expected)
    return tuple(_at(entry, schedules.get(entry.name, {})) for entry in entries)


def _at(entry: DeploymentEntry, times: Mapping[str, str]) -> DeploymentEntry:
    changed = (
        schedule.model_copy(update={"cron": times.get(schedule.slug, schedule.cron)})
        for schedule in entry.schedules
    )
    return entry.model_copy(update={"schedules": tuple(changed)})


def read_entries(file: Path = PREFECT_FILE) -> tuple[DeploymentEntry, ...]:
    """Read the deployments of `file`.

    Raises:
        InvalidSetting: naming the place, what stands there and what would be right.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        rows = document["deployments"]
    except yaml.YAMLError as error:
        where = str(getattr(error, "problem_mark", "")).strip()
        raise InvalidSetting(file.name, where, "valid YAML") from None
    except (OSError, TypeError, KeyError) as error:
        raise InvalidSetting(file.name, str(error), "a file with a list of deployments") from None
    return tuple(_entry(row, file) for row in rows)


def _entry(row: Any, file: Path) -> DeploymentEntry:
    try:
        return DeploymentEntry.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        name = row.get("name", "?") if isinstance(row, dict) else "?"
        raise InvalidSetting(f"{file.name}: {name}.{place}", fault["input"], fault["msg"]) from None
