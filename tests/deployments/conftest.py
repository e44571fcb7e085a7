"""This is a Prefect server with our deployments for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from deployments.entries import read_entries
from deployments.environments import POOL
from deployments.register import register
from tests.prefect_servers import talk


@pytest.fixture
def registered(prefect_api: str) -> Iterator[str]:
    """The API of a server that has our deployments, none paused; afterwards again."""
    talk(prefect_api, lambda client: register(client, read_entries()))
    resume_everything(prefect_api)
    yield prefect_api
    resume_everything(prefect_api)


def resume_everything(api_url: str) -> None:
    with httpx.Client(base_url=api_url) as api:
        for deployment in api.post("/deployments/filter", json={}).json():
            here = f"/deployments/{deployment['id']}"
            api.post(f"{here}/resume_deployment").raise_for_status()
            for schedule in deployment["schedules"]:
                place = f"{here}/schedules/{schedule['id']}"
                if schedule["slug"] is None:
                    api.delete(place).raise_for_status()
                elif not schedule["active"]:
                    api.patch(place, json={"active": True}).raise_for_status()
        api.patch(f"/work_pools/{POOL}", json={"is_paused": False}).raise_for_status()
        for queue in api.post(f"/work_pools/{POOL}/queues/filter", json={}).json():
            place = f"/work_pools/{POOL}/queues/{queue['name']}"
            api.patch(place, json={"is_paused": False}).raise_for_status()
