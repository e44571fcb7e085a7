"""`prefect deployment run eod-report` works exactly as typed, and `prefect deploy` un-pauses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient

from deployments.entries import PREFECT_FILE
from deployments.environments import POOL
from deployments.prefect_plugin import _full_name
from tests.prefect_servers import talk

PROJECT = PREFECT_FILE.parent


def prefect(
    home: Path, *words: str, api_url: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Prefect's real command line in the project's folder, as the owner does."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("PREFECT_")}
    environment |= {"MAEMAE_HOME": str(home), "PREFECT_HOME": str(home), "DO_NOT_TRACK": "1"}
    if api_url:
        environment["PREFECT_API_URL"] = api_url
    command = (str(Path(sys.executable).with_name("prefect")), *words)
    return subprocess.run(  # noqa: S603 - our words
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


def a_running_stack(home: Path, api_url: str) -> None:
    (home / "stack.json").write_text(json.dumps({"prefect_api_url": api_url}))


def test_a_deployment_runs_by_its_bare_name_on_the_running_stack(
    registered: str, tmp_path: Path
) -> None:
    a_running_stack(tmp_path, registered)

    done = prefect(tmp_path, "deployment", "run", "eod-report")

    assert done.returncode == 0, done.stderr
    assert "eod-report/eod-report" in done.stdout
    runs = httpx.post(
        f"{registered}/flow_runs/filter",
        json={"deployments": {"name": {"any_": ["eod-report"]}}},
    ).json()
    assert [run["state_type"] for run in runs] == ["SCHEDULED"]
    httpx.delete(f"{registered}/flow_runs/{runs[0]['id']}").raise_for_status()


def test_an_unknown_name_is_one_sentence(registered: str, tmp_path: Path) -> None:
    done = prefect(tmp_path, "deployment", "run", "nosuch", api_url=registered)

    assert done.returncode == 1
    assert done.stdout.strip() == "Deployment 'nosuch' not found!"
    assert "Traceback" not in done.stderr


def test_schedules_are_listed_by_the_bare_name(registered: str, tmp_path: Path) -> None:
    done = prefect(tmp_path, "deployment", "schedule", "ls", "place-orders", api_url=registered)

    assert done.returncode == 0, done.stderr
    assert "50 8 * * 1-5" in done.stdout


def test_a_name_that_two_flows_share_is_not_guessed(registered: str) -> None:
    async def acts(client: PrefectClient) -> str:
        for flow in ("one", "two"):
            flow_id = await client.create_flow_from_name(flow)
            await client.create_deployment(flow_id=flow_id, name=name, work_pool_name=POOL)
        return await _full_name(client, name)

    name = f"twin-{uuid4().hex[:6]}"
    with pytest.raises(SystemExit):
        talk(registered, acts)


def test_deploying_by_hand_un_pauses_nothing(registered: str, tmp_path: Path) -> None:
    place = f"{registered}/deployments/name/place-orders/place-orders"
    before = httpx.get(place).json()
    httpx.post(f"{registered}/deployments/{before['id']}/pause_deployment").raise_for_status()
    here = f"{registered}/deployments/{before['id']}"
    httpx.patch(here, json={"description": "old"}).raise_for_status()
    schedule = before["schedules"][0]
    switch = f"{registered}/deployments/{before['id']}/schedules/{schedule['id']}"
    httpx.patch(switch, json={"active": False}).raise_for_status()

    done = prefect(tmp_path, "--no-prompt", "deploy", "--name", "place-orders", api_url=registered)

    after = httpx.get(place).json()
    assert done.returncode == 0, done.stderr
    assert after["description"] == before["description"], "it was deployed"
    assert after["paused"] is True
    assert [s["active"] for s in after["schedules"] if s["id"] == schedule["id"]] == [False]


def test_processes_other_than_the_command_line_import_nothing_more(tmp_path: Path) -> None:
    """The plugin is loaded with Prefect in the server, the worker and every flow run."""
    question = "import prefect, sys; print('prefect.cli.deployment' in sys.modules)"
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path), "DO_NOT_TRACK": "1"}

    answer = subprocess.run(  # noqa: S603 - our words
        (sys.executable, "-c", question),
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == "False"
