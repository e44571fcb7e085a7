"""Registering is repeatable and never un-pauses anything: a pause is a closed kill switch."""

from __future__ import annotations

from typing import Any

import httpx

from deployments.entries import DeploymentEntry, read_entries
from deployments.environments import POOL
from deployments.register import register
from tests.prefect_servers import talk

ENTRIES = read_entries()


def deployment_of(api_url: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{api_url}/deployments/name/{name}/{name}").json()
    return found


def slugs_of(deployment: dict[str, Any]) -> dict[str, bool]:
    return {schedule["slug"]: schedule["active"] for schedule in deployment["schedules"]}


def apply(api_url: str, *entries: DeploymentEntry) -> None:
    talk(api_url, lambda client: register(client, entries))


def changed(name: str) -> DeploymentEntry:
    """An entry that differs from what is registered, so that it is sent again."""
    (entry,) = (entry for entry in ENTRIES if entry.name == name)
    return entry.model_copy(update={"description": f"{entry.description} (2)"})


def test_deployments_carry_what_the_file_says(registered: str) -> None:
    for entry in ENTRIES:
        found = deployment_of(registered, entry.name)
        assert found["entrypoint"] == entry.entrypoint
        assert found["tags"] == list(entry.tags)
        assert found["work_pool_name"] == POOL
        assert found["job_variables"] == entry.work_pool.job_variables
        assert found["parameter_openapi_schema"]["type"] == "object"
        assert found["enforce_parameter_schema"] is True
        assert found["concurrency_limit"] is None
        assert set(slugs_of(found)) == {schedule.slug for schedule in entry.schedules}


def test_registering_again_changes_nothing(registered: str) -> None:
    before = [deployment_of(registered, entry.name) for entry in ENTRIES]

    apply(registered, *ENTRIES)

    assert [deployment_of(registered, entry.name) for entry in ENTRIES] == before


def test_a_change_in_the_file_arrives(registered: str) -> None:
    apply(registered, changed("eod-report"))

    assert deployment_of(registered, "eod-report")["description"].endswith("(2)")


def test_a_paused_deployment_stays_paused(registered: str) -> None:
    before = deployment_of(registered, "place-orders")
    httpx.post(f"{registered}/deployments/{before['id']}/pause_deployment")

    apply(registered, changed("place-orders"))

    after = deployment_of(registered, "place-orders")
    assert after["paused"] is True
    assert after["description"] != before["description"]


def test_a_schedule_that_is_off_stays_off(registered: str) -> None:
    before = deployment_of(registered, "place-orders")
    switch_off(registered, before, "opening")

    apply(registered, changed("place-orders"))

    after = deployment_of(registered, "place-orders")
    assert slugs_of(after) == {"opening": False, "exits": True}
    assert {s["id"] for s in after["schedules"]} == {s["id"] for s in before["schedules"]}


def test_a_schedule_that_is_off_stays_off_beside_one_made_in_the_ui(registered: str) -> None:
    """With a schedule that has no slug the server makes all of them anew, and active."""
    before = deployment_of(registered, "place-orders")
    switch_off(registered, before, "opening")
    own = {"schedule": {"cron": "0 11 * * *", "timezone": "Asia/Seoul"}, "active": False}
    httpx.post(f"{registered}/deployments/{before['id']}/schedules", json=[own]).raise_for_status()

    apply(registered, changed("place-orders"))

    after = deployment_of(registered, "place-orders")
    assert slugs_of(after) == {"opening": False, "exits": True, None: False}


def test_a_paused_pool_stays_paused(registered: str) -> None:
    httpx.patch(f"{registered}/work_pools/{POOL}", json={"is_paused": True}).raise_for_status()

    apply(registered, *ENTRIES)

    assert httpx.get(f"{registered}/work_pools/{POOL}").json()["is_paused"] is True


def test_a_schedule_that_left_the_file_is_deleted(registered: str) -> None:
    (entry,) = (entry for entry in ENTRIES if entry.name == "reconcile-fills")
    shorter = entry.model_copy(update={"schedules": entry.schedules[:1]})

    apply(registered, shorter)

    assert set(slugs_of(deployment_of(registered, "reconcile-fills"))) == {"after-the-opening"}


def switch_off(api_url: str, deployment: dict[str, Any], slug: str) -> None:
    (schedule,) = (s for s in deployment["schedules"] if s["slug"] == slug)
    place = f"{api_url}/deployments/{deployment['id']}/schedules/{schedule['id']}"
    httpx.patch(place, json={"active": False}).raise_for_status()
