"""This is approving a version in Prefect's UI: a suspended run whose form shows the difference and keeps the delay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause

from adapters.clock import SystemClock
from adapters.postgres import PostgresStores
from deployments.entries import read_entries
from deployments.register import register
from flows.approve_change import approve_change
from tasks.versions import approve, propose
from tests.flow_worlds import World, carry_out, told
from tests.versions import a_file

WAIT = timedelta(minutes=10)


@pytest.fixture
def live(
    world: World, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> Iterator[PostgresStores]:
    """The live channel of the same account, one version in force."""
    monkeypatch.setenv("MAEMAE_CHANNEL", "live")
    now = SystemClock().now()
    with closing(PostgresStores(postgres_url, channel="live", account=world.account)) as stores:
        propose(stores, a_file("live", maximum_holdings=2), reason="begin", at=now)
        approve(stores, 1, reason="begin", at=now, delay=timedelta())
        yield stores


async def a_run(client: PrefectClient) -> FlowRun:
    """Make a run of the deployment, as the UI does."""
    await register(client, [e for e in read_entries() if e.name == "approve-change"])
    deployment = await client.read_deployment_by_name("approve-change/approve-change")
    return await client.create_flow_run_from_deployment(deployment.id)


async def suspends(client: PrefectClient, run: FlowRun) -> None:
    """Carry the run out until it ends its process to wait for its form."""
    with pytest.raises(Pause):
        await carry_out(approve_change, run)
    assert (await client.read_flow_run(run.id)).state_name == "Suspended"


async def answered(client: PrefectClient, run: FlowRun, **answer: Any) -> FlowRun:
    """Fill the form in and let the run go on."""
    await client.resume_flow_run(run.id, run_input=answer)
    return await client.read_flow_run(run.id)


async def form_of(client: PrefectClient, run: FlowRun) -> str:
    """Read what the UI shows above the form."""
    state = (await client.read_flow_run(run.id)).state
    assert state is not None
    keys = state.state_details.run_input_keyset
    assert keys is not None
    words = await client.read_flow_run_input(run.id, keys["description"])
    return str(json.loads(words))


async def test_a_form_shows_the_difference_and_keeps_the_delay(live: PostgresStores) -> None:
    proposed_at = SystemClock().now() - WAIT + timedelta(hours=1)
    propose(live, a_file("live", maximum_holdings=400), reason="more", at=proposed_at)
    async with get_client() as client:
        run = await a_run(client)
        await suspends(client, run)
        form = await form_of(client, run)
        assert "`risk.maximum_holdings`: 2 → **400**" in form
        run = await answered(client, run, is_approved=True, reason="yes")
        await suspends(client, run)  # an hour too early
        assert version_in_force(live) == 1


async def test_a_filled_in_form_puts_the_version_in_force(live: PostgresStores) -> None:
    propose(
        live, a_file("live", maximum_holdings=400), reason="m", at=SystemClock().now() - 2 * WAIT
    )
    async with get_client() as client:
        run = await a_run(client)
        await suspends(client, run)
        assert version_in_force(live) == 1
        run = await answered(client, run, is_approved=True, reason="seen in the UI")
        state = await carry_out(approve_change, run)
    assert told(state) == ("Completed", "Version 2 is approved and in force.")
    assert version_in_force(live) == 2
    with live.begin() as work:
        _, (_, act) = work.audit.of("config approve")
    assert (act.actor, act.detail["reason"]) == ("operator", "seen in the UI")


async def test_a_declined_version_goes_on_waiting(live: PostgresStores) -> None:
    propose(
        live, a_file("live", maximum_holdings=400), reason="m", at=SystemClock().now() - 2 * WAIT
    )
    async with get_client() as client:
        run = await a_run(client)
        await suspends(client, run)
        run = await answered(client, run, is_approved=False, reason="no")
        assert (await carry_out(approve_change, run)).name == "Completed"
    assert version_in_force(live) == 1
    with live.begin() as work:
        ((_, act),) = work.audit.of("config decline")
    assert (act.actor, act.detail["version"], act.detail["reason"]) == ("operator", 2, "no")


async def test_without_a_version_that_waits_there_is_no_form(live: PostgresStores) -> None:
    assert version_in_force(live) == 1
    assert (await carry_out(approve_change)).name == "Skipped"


def version_in_force(stores: PostgresStores) -> int:
    with stores.begin() as work:
        current = work.configs.in_force()
    assert current is not None
    return current.version
