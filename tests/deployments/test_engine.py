"""A flow run is a copy of the warm engine, and to Prefect indistinguishable from a cold one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun

from deployments.entries import PREFECT_FILE
from deployments.environments import plain_environment
from deployments.processes import Program
from deployments.programs import warm_engine
from tests.prefect_servers import talk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no safe fork elsewhere")

PROJECT = PREFECT_FILE.parent
POOL = "samples"


@dataclass
class Launcher:
    """Starts flow runs as the worker does: one process with the run's id in its environment."""

    api_url: str
    address: str
    folder: Path

    def create(self, name: str, **parameters: Any) -> UUID:
        async def acts(client: PrefectClient) -> UUID:
            flow_id = await client.create_flow_from_name(name)
            deployment_id = await client.create_deployment(
                flow_id=flow_id,
                name=name,
                entrypoint=f"tests.flow_samples.{name.replace('-', '_')}",
                work_pool_name=POOL,
                pull_steps=[],
            )
            run = await client.create_flow_run_from_deployment(deployment_id, parameters=parameters)
            return run.id

        return talk(self.api_url, acts)

    def start(self, run_id: UUID) -> subprocess.Popen[bytes]:
        environment = plain_environment() | {
            "DO_NOT_TRACK": "1",
            "MAEMAE_ENGINE": self.address,
            "PREFECT_API_URL": self.api_url,
            "PREFECT_HOME": str(self.folder),
            "PREFECT__FLOW_RUN_ID": str(run_id),
            "PYTHONPATH": str(PROJECT),
            "SAMPLE": "an environment of its own",
        }
        command = (sys.executable, "-m", "deployments.engine")
        return subprocess.Popen(command, env=environment, cwd=self.folder)  # noqa: S603 - our words

    def run(self, name: str) -> tuple[int, FlowRun]:
        run_id = self.create(name)
        with self.start(run_id) as process:
            code = process.wait(timeout=100)
        return code, self.read(run_id)

    def read(self, run_id: UUID) -> FlowRun:
        return talk(self.api_url, lambda client: client.read_flow_run(run_id))


@dataclass(frozen=True)
class Engine:
    """A warm engine that watches a folder of this test instead of the project, which others may change."""

    program: Program
    address: str
    watched: Path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("engine")
    watched = home / "flows" / "sample.py"
    watched.parent.mkdir()
    watched.touch()
    code = f"import deployments.warm_engine as w; w.PROJECT = w.Path({str(home)!r}); w.main()"
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/engine"
        program = warm_engine(home, address)
        program.command = (sys.executable, "-c", code, address)
        program.environment = {**program.environment, "PYTHONPATH": str(PROJECT)}
        program.start()
        program.wait_until_ready()
        yield Engine(program, address, watched)
        program.stop(within=3)


@pytest.fixture
def launcher(prefect_api: str, engine: Engine, tmp_path: Path) -> Launcher:
    async def make_pool(client: PrefectClient) -> None:
        if not [pool for pool in await client.read_work_pools() if pool.name == POOL]:
            await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))

    talk(prefect_api, make_pool)
    return Launcher(prefect_api, engine.address, tmp_path)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def message_of(run: FlowRun) -> str:
    return run.state.message or "" if run.state else ""


def test_a_run_is_a_copy_in_its_own_folder_and_environment(launcher: Launcher) -> None:
    code, run = launcher.run("sample-report")

    assert code == 0
    assert message_of(run) == f"copy in {launcher.folder} with an environment of its own"


def test_a_failing_run_fails_as_a_cold_one_does(launcher: Launcher) -> None:
    warm_code, warm = launcher.run("sample-failure")
    launcher.address = ""
    cold_code, cold = launcher.run("sample-failure")

    assert (warm_code, warm.state_name) == (cold_code, cold.state_name)
    assert warm.state_name == "Failed"
    assert "on purpose" in message_of(warm)


def test_without_the_engine_a_run_starts_cold(launcher: Launcher) -> None:
    launcher.address = str(launcher.folder / "nobody")

    code, run = launcher.run("sample-report")

    assert code == 0
    assert message_of(run).startswith("cold in")


def test_a_sigterm_reaches_the_copy_which_ends_in_order(launcher: Launcher) -> None:
    file = launcher.folder / "pid"
    with launcher.start(launcher.create("sample-wait", file=str(file))) as process:
        wait_until(lambda: file.exists() and file.read_text() != "")

        process.send_signal(signal.SIGTERM)

        process.wait(timeout=60)
    assert Path(f"{file}.ended").exists()


def test_a_kill_of_the_launcher_kills_the_copy(launcher: Launcher) -> None:
    file = launcher.folder / "pid"
    with launcher.start(launcher.create("sample-wait", file=str(file))) as process:
        wait_until(lambda: file.exists() and file.read_text() != "")
        copy = int(file.read_text())

        process.kill()

    wait_until(lambda: not is_alive(copy))
    assert not Path(f"{file}.ended").exists()


def test_a_kill_of_the_copy_shows_as_a_kill_of_the_launcher(launcher: Launcher) -> None:
    file = launcher.folder / "pid"
    with launcher.start(launcher.create("sample-wait", file=str(file))) as process:
        wait_until(lambda: file.exists() and file.read_text() != "")

        os.kill(int(file.read_text()), signal.SIGKILL)

        assert process.wait(timeout=60) == -signal.SIGKILL


def test_after_a_change_of_our_files_a_run_is_cold_and_the_engine_imports_anew(
    launcher: Launcher, engine: Engine
) -> None:
    before = engine.program.pid

    os.utime(engine.watched, (1, 1))
    _, stale = launcher.run("sample-report")

    assert message_of(stale).startswith("cold in")
    wait_until(lambda: message_of(launcher.run("sample-report")[1]).startswith("copy in"))
    assert engine.program.pid == before


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
