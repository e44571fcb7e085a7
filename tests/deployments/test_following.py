"""This is how times of a newer version reach Prefect while everything runs, without ending anybody's pause."""

from __future__ import annotations

from contextlib import closing

import httpx
import pytest

from adapters.postgres import PostgresStores
from deployments.entries import read_entries
from deployments.orchestration import Orchestration
from deployments.register import register
from flows.settings import load_settings
from tasks.versions import propose
from tests.builders import ACCOUNT
from tests.prefect_servers import talk
from tests.store_samples import AT
from tests.versions import a_file

LATER = {"place-orders": {"opening": "52 8 * * 1-5"}}


def crons(api_url: str) -> dict[str, tuple[str, bool]]:
    """Give the times of place-orders, and whether each is switched on."""
    rows = httpx.post(f"{api_url}/deployments/filter", json={}).json()
    (schedules,) = (row["schedules"] for row in rows if row["name"] == "place-orders")
    return {s["slug"]: (s["schedule"]["cron"], s["active"]) for s in schedules}


def switch_off(api_url: str, slug: str) -> None:
    """Switch a schedule of place-orders off, as the owner does in the UI."""
    rows = httpx.post(f"{api_url}/deployments/filter", json={}).json()
    (row,) = (row for row in rows if row["name"] == "place-orders")
    (one,) = (s["id"] for s in row["schedules"] if s["slug"] == slug)
    place = f"{api_url}/deployments/{row['id']}/schedules/{one}"
    httpx.patch(place, json={"active": False}).raise_for_status()


def test_times_of_a_newer_version_reach_prefect_and_end_no_pause(
    registered: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "MAEMAE_CHANNEL": "paper",
        "MAEMAE_DATABASE_URL": postgres_url,
        "MAEMAE_KIS__ENVIRONMENT": "paper",
        "MAEMAE_KIS__APPKEY": "the-appkey-of-a-test",
        "MAEMAE_KIS__APPSECRET": "the-appsecret-of-a-test",
        "MAEMAE_KIS__ACCOUNT": ACCOUNT,
    }.items():
        monkeypatch.setenv(name, value)
    prefect = Orchestration(registered, load_settings())
    file = a_file("paper")
    switch_off(registered, "exits")
    with closing(PostgresStores(postgres_url, channel="paper", account=ACCOUNT)) as stores:
        propose(stores, file, reason="begin", at=AT)
        known = prefect.follow({})
        assert (known, crons(registered)["opening"]) == ({}, ("50 8 * * 1-5", True))
        propose(stores, file.model_copy(update={"schedules": LATER}), reason="later", at=AT)
    assert prefect.follow(known) == LATER
    assert crons(registered) == {
        "opening": ("52 8 * * 1-5", True),
        "exits": ("55 14 * * 1-5", False),
    }
    talk(registered, lambda client: register(client, read_entries()))
