"""This is the door of a real Prefect server: nobody without the password, and we ourselves all the same."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import get_client
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from adapters.postgres.embedded import EmbeddedServer
from deployments.doors import Door
from deployments.environments import worker_environment
from deployments.mirror import way_in
from deployments.programs import free_port, worker
from flows.settings import load_settings
from tests.prefect_servers import running_prefect
from trading.errors import InvalidSetting

PASSWORD = SecretStr("owner:long-enough-password")
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def door(postgres_server: EmbeddedServer, open_folder: Path) -> Iterator[Door]:
    """A real server that listens on every address of this machine."""
    door = Door(free_port(), IPv4Address("0.0.0.0"), PASSWORD)  # noqa: S104 - what is tested
    url = postgres_server.url_of("prefect")
    with running_prefect(open_folder / "door", url, door):
        yield door


@pytest.mark.parametrize(
    ("knock", "answer"),
    [
        (None, 401),
        (("owner", "long-enough-passwore"), 401),
        (("", ""), 401),
        (("owner", "long-enough-password"), 200),
    ],
)
def test_nobody_comes_in_without_the_password(
    door: Door, knock: tuple[str, str] | None, answer: int
) -> None:
    place = f"{door.api_url}/deployments/filter"
    assert httpx.post(place, json={}, auth=knock).status_code == answer


@pytest.mark.parametrize(
    "path", ["events/in", "events/out", "logs/out", "task_runs/subscriptions/scheduled"]
)
def test_no_socket_opens_without_it_either(door: Door, path: str) -> None:
    place = f"{door.api_url.replace('http', 'ws')}/{path}"
    with pytest.raises(InvalidStatus, match="403"), connect(place):
        pass
    with connect(place, subprotocols=[Subprotocol("prefect")]) as socket:
        socket.send(json.dumps({"type": "auth", "token": "owner:long-enough-passwore"}))
        with pytest.raises(ConnectionClosedError, match="1008"):
            socket.recv(timeout=20)


def test_the_watcher_and_the_registration_come_in(door: Door) -> None:
    async def count() -> int:
        async with get_client() as client:
            return len(await client.read_work_pools())

    with way_in(door.api_url, PASSWORD, retries=0):
        assert asyncio.run(count()) >= 0
    with way_in(door.api_url, None, retries=0), pytest.raises(httpx.HTTPStatusError, match="401"):
        asyncio.run(count())


def test_the_worker_comes_in(door: Door, tmp_path: Path) -> None:
    script = "import asyncio; from prefect import get_client\nasync def ask():\n  async with get_client() as c: print(len(await c.read_work_pools()))\nasyncio.run(ask())"
    environment = worker_environment(tmp_path, door=door, health_port=free_port(), variables={})
    words = (sys.executable, "-c", script)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our words
    assert done.stdout.strip().isdigit(), done.stderr


def test_prefects_own_command_line_comes_in_with_what_the_stack_wrote(
    door: Door, tmp_path: Path
) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"prefect_api_url": door.api_url}), "utf-8")
    (tmp_path / "runtime.env").write_text(f"MAEMAE_PREFECT_AUTH={door.password}\n", "utf-8")
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MAEMAE_", "PREFECT_"))}
    homes = {"MAEMAE_HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
    done = subprocess.run(  # noqa: S603 - our words
        (str(Path(sys.executable).with_name("prefect")), "work-pool", "ls"),
        env=clean | homes,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_password_stands_in_no_command_line(tmp_path: Path) -> None:
    door = Door(1, auth=PASSWORD)
    program = worker(tmp_path, door=door, variables={})
    assert "long-enough" not in repr(program.command) + repr(door)


@pytest.mark.parametrize(
    ("host", "auth"),
    [
        ("0.0.0.0", None),  # noqa: S104 - what is refused
        ("192.0.2.7", None),
        ("0.0.0.0", "owner"),  # noqa: S104 - as above
        ("0.0.0.0", ":long-enough-password"),  # noqa: S104 - as above
        ("0.0.0.0", "owner:eleven-char"),  # noqa: S104 - as above
        ("127.0.0.1", "owner:short"),
    ],
)
def test_a_door_open_to_others_without_a_lock_is_refused(
    host: str, auth: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv("MAEMAE_PREFECT_HOST", host)
    if auth is not None:
        monkeypatch.setenv("MAEMAE_PREFECT_AUTH", auth)
    with pytest.raises(InvalidSetting, match="MAEMAE_PREFECT_AUTH") as caught:
        load_settings()
    assert "short" not in str(caught.value)
    assert "long-enough" not in str(caught.value)


def test_twelve_characters_are_a_lock_and_loopback_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    plain = Door.of(load_settings(), port=4200)
    assert (str(plain.host), plain.password) == ("127.0.0.1", None)
    assert "PREFECT_API_AUTH_STRING" not in plain.client_variables()
    monkeypatch.setenv("MAEMAE_PREFECT_HOST", "0.0.0.0")  # noqa: S104 - what is guarded
    monkeypatch.setenv("MAEMAE_PREFECT_AUTH", "owner:twelve-chars")
    open_door = Door.of(load_settings(), port=4200)
    assert open_door.api_url == "http://127.0.0.1:4200/api"
    assert open_door.server_variables()["PREFECT_SERVER_API_AUTH_STRING"] == "owner:twelve-chars"
