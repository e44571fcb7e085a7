"""This is a Prefect plugin: `prefect deployment run eod-report` as typed, and a deploy that un-pauses nothing.

Prefect imports it with itself, in every process: so it looks at the command line first and imports only where
it has something to do. It is switched on by [tool.prefect.plugins] in pyproject.toml, or, in other folders, by
PREFECT_PLUGINS_ENABLED=1.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.plugins import register_hook

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.actions import DeploymentUpdate
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.plugins import HookContext, SetupResult


@register_hook
def setup_environment(*, ctx: HookContext) -> SetupResult | None:
    """Help Prefect's command line; leave every other process alone."""
    if not _is_command_line():
        return None
    words = set(sys.argv[1:])
    if words & {"deployment", "deployments"}:
        _take_short_names()
    if "deploy" in words:
        _keep_pauses()
    return _running_server() if ctx.api_url is None else None


def _is_command_line() -> bool:
    """Tell whether this process is `prefect …` or `python -m prefect …`."""
    return Path(sys.argv[0]).stem == "prefect" or sys.argv[0] == "-m"


def _running_server() -> SetupResult | None:
    """Lead to the server of the stack that runs here, whatever its port."""
    from prefect.plugins import SetupResult  # noqa: PLC0415 - only the command line needs it

    home = Path(os.environ.get("MAEMAE_HOME") or Path(__file__).resolve().parent.parent / ".maemae")
    try:
        url = str(json.loads((home / "stack.json").read_bytes())["prefect_api_url"])
    except (OSError, ValueError, KeyError):
        return None
    return SetupResult(env={"PREFECT_API_URL": url, **_password(home)})


def _password(home: Path) -> dict[str, str]:
    """Read what opens the server's door, if it has a lock; the running stack wrote it down."""
    from dotenv import dotenv_values  # noqa: PLC0415 - only the command line needs it

    auth = dotenv_values(home / "runtime.env").get("MAEMAE_PREFECT_AUTH")
    return {"PREFECT_API_AUTH_STRING": auth} if auth else {}


def _take_short_names() -> None:
    """Let every `prefect deployment …` take the bare name of a deployment."""
    from prefect.cli import deployment as commands  # noqa: PLC0415 - takes a second
    from prefect.client.orchestration import PrefectClient  # noqa: PLC0415 - as above

    read_by_name = PrefectClient.read_deployment_by_name

    async def read(client: PrefectClient, name: str) -> DeploymentResponse:
        full = name if "/" in name else await _full_name(client, name)
        return await read_by_name(client, full)

    setattr(PrefectClient, "read_deployment_by_name", read)  # noqa: B010 - a method is not assigned
    setattr(commands, "_assert_deployment_name_format", lambda _: None)  # noqa: B010 - as above


async def _full_name(client: PrefectClient, name: str) -> str:
    """Find the flow of a deployment's bare name; without one our own rule holds: both are named alike."""
    from prefect.cli._utilities import exit_with_error  # noqa: PLC0415 - only the command line has it
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName  # noqa: PLC0415

    wanted = DeploymentFilter(name=DeploymentFilterName(any_=[name]))
    found = await client.read_deployments(deployment_filter=wanted)
    flows = [(await client.read_flow(deployment.flow_id)).name for deployment in found]
    if len(flows) > 1:
        names = ", ".join(f"{flow}/{name}" for flow in sorted(flows))
        exit_with_error(f"Deployment name {name!r} is not unique, choose one of: {names}")
    return f"{flows[0] if flows else name}/{name}"


def _keep_pauses() -> None:
    """Let `prefect deploy` change deployments without un-pausing them: a pause is a closed kill switch."""
    from prefect.client.orchestration import PrefectClient  # noqa: PLC0415 - takes a second

    update = PrefectClient.update_deployment

    async def change(
        client: PrefectClient, deployment_id: Any, deployment: DeploymentUpdate
    ) -> None:
        if not deployment.paused:
            deployment.model_fields_set.discard("paused")
        await update(client, deployment_id, deployment)

    setattr(PrefectClient, "update_deployment", change)  # noqa: B010 - a method is not assigned
