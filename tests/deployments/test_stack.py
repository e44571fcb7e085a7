"""The whole stack as its owner runs it: started, refused twice, wounded, stopped, started after a kill.

The tests share one stack and run in their order; the last ones stop it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

from adapters.audit_files import AUDIT_FILE, AuditFile
from adapters.heartbeats import last_beat
from adapters.postgres import PostgresStores, embedded
from deployments.processes import Program
from deployments.programs import free_port, is_free
from deployments.simulator import ACCOUNT
from deployments.state import Footprint, StackNote, is_running, read_note
from trading.audits import first_flaw

pytestmark = [pytest.mark.timeout(600), pytest.mark.timed]

PATIENCE = 120.0
MAEMAE = str(Path(sys.executable).with_name("maemae"))


@dataclass
class Owner:
    """Types commands and looks at what runs."""

    home: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("MAEMAE_", "PREFECT_"))}
        return clean | {"MAEMAE_HOME": str(self.home), "MAEMAE_PREFECT_PORT": str(self.port)}

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our words
            (MAEMAE, *words), env=self.environment, capture_output=True, text=True, check=False
        )

    @property
    def beat_file(self) -> Path:
        """Where the stream gives its signs of life, once it has the lock in the database."""
        return self.home / "stream.beat"

    def note(self) -> StackNote:
        note = read_note(self.home)
        assert note is not None
        return note

    def pid(self, name: str) -> int:
        return self.note().processes[name].pid

    def url(self, place: str) -> str:
        return f"http://127.0.0.1:{self.port}/api{place}"

    def deployment(self, name: str) -> str:
        return str(httpx.get(self.url(f"/deployments/name/{name}/{name}")).json()["id"])

    def starts(self, name: str) -> dict[str, Any]:
        """Start a run."""
        place = self.url(f"/deployments/{self.deployment(name)}/create_flow_run")
        run: dict[str, Any] = httpx.post(place, json={"state": {"type": "SCHEDULED"}}).json()
        return run

    def fires(self, name: str) -> dict[str, Any]:
        """Start a run and wait for its end."""
        run = self.starts(name)
        endings = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
        wait_until(lambda: self.run(run["id"])["state_type"] in endings)
        return self.run(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(self.url(f"/flow_runs/{run_id}")).json()
        return found

    def stream(self) -> dict[str, Any]:
        """Give the newest run of the stream."""
        wanted = {"flow_runs": {"tags": {"all_": ["streaming"]}}, "limit": 1}
        (run,) = httpx.post(self.url("/flow_runs/filter"), json=wanted).json()
        found: dict[str, Any] = run
        return found

    def streams_in(self) -> int:
        """Give the process that streams now, 0 when none does."""
        run = self.stream()
        _, _, pid = (run["infrastructure_pid"] or "").rpartition(":")
        is_running = run["state_type"] == "RUNNING" and pid and Path("/proc", pid).exists()
        return int(pid) if is_running else 0

    def halts(self) -> set[str]:
        url = str(dotenv_values(self.home / "runtime.env")["MAEMAE_DATABASE_URL"])
        stores = PostgresStores(url, channel="dev", account=ACCOUNT)
        with stores.begin() as work:
            sources = {halt.source for halt in work.halts.in_force()}
        stores.close()
        return sources


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_answered(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def owner(open_folder: Path) -> Iterator[Owner]:
    one = Owner(open_folder / "stack", free_port())
    started = one.types("up", "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    yield one
    one.types("down")
    embedded.stop(one.home)


def test_everything_runs_and_a_flow_run_finds_its_settings(owner: Owner) -> None:
    note = owner.note()

    assert note.phase == "ready"
    assert set(note.processes) >= {"prefect-server", "simulator", "worker"}
    assert owner.fires("refresh-token")["state_name"] == "Completed"


def test_the_worker_does_not_know_prefects_database(owner: Owner) -> None:
    environment = Path(f"/proc/{owner.pid('worker')}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in environment}

    assert "MAEMAE_DATABASE_URL" in names
    assert not {name for name in names if "DATABASE_CONNECTION" in name}


def test_a_second_start_is_refused_in_one_sentence(owner: Owner) -> None:
    refused = owner.types("up")

    assert refused.returncode == 2
    (sentence,) = refused.stderr.strip().splitlines()
    assert str(owner.note().supervisor.pid) in sentence
    assert owner.note().phase == "ready"


def test_a_pause_in_prefect_becomes_a_halt(owner: Owner) -> None:
    here = owner.url(f"/deployments/{owner.deployment('place-orders')}")

    httpx.post(f"{here}/pause_deployment").raise_for_status()
    wait_until(lambda: owner.halts() == {"prefect:place-orders"})

    httpx.post(f"{here}/resume_deployment").raise_for_status()
    wait_until(lambda: owner.halts() == set())


def test_a_stream_that_is_killed_is_replaced_within_half_a_minute(owner: Owner) -> None:
    owner.starts("stream-fills")
    wait_until(lambda: owner.streams_in() > 0)
    killed = owner.streams_in()

    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    wait_until(lambda: owner.streams_in() not in {0, killed})

    assert time.monotonic() - began < 30 + 5 * start_of_the_console()


def test_a_stream_that_hangs_is_ended_and_replaced_within_half_a_minute(owner: Owner) -> None:
    """Its process lives and holds the lock in the database; to Prefect it is running."""
    wait_until(lambda: last_beat(owner.beat_file) is not None)
    hung = last_beat(owner.beat_file)
    assert hung is not None
    hanging = Footprint.of(hung.pid)

    os.kill(hung.pid, signal.SIGSTOP)
    began = time.monotonic()
    wait_until(lambda: (beat := last_beat(owner.beat_file)) is not None and beat.pid != hung.pid)

    assert time.monotonic() - began < 30 + 5 * start_of_the_console()
    assert not hanging.is_alive, "it would act when it wakes"
    assert "체결 스트림이 응답하지 않아" in (owner.home / "inbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["worker", "prefect-server"])
def test_a_part_that_is_killed_is_started_again_and_work_goes_on(owner: Owner, name: str) -> None:
    killed, streaming = owner.pid(name), owner.streams_in()

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: name in owner.note().processes and owner.pid(name) != killed)
    wait_until(lambda: is_answered(owner.url("/ready")))
    assert owner.fires("refresh-token")["state_name"] == "Completed"
    if name == "worker":  # which takes its runs with it
        wait_until(lambda: owner.streams_in() not in {0, streaming})
    else:
        assert owner.streams_in() == streaming, "an outage of the server ended the stream"


def test_a_stream_ends_in_ten_seconds_when_it_is_cancelled_though_the_server_was_away(
    owner: Owner,
) -> None:
    run = owner.stream()
    assert owner.streams_in() > 0

    place = owner.url(f"/flow_runs/{run['id']}/set_state")
    httpx.post(place, json={"state": {"type": "CANCELLING"}}).raise_for_status()
    began = time.monotonic()
    wait_until(lambda: owner.stream()["state_type"] == "CANCELLED")

    assert time.monotonic() - began < 10 + 5 * start_of_the_console()
    wait_until(lambda: owner.streams_in() == 0)


def test_after_a_kill_of_the_supervisor_nothing_works_on_and_a_start_cleans_up(
    owner: Owner,
) -> None:
    before = owner.note()

    os.kill(before.supervisor.pid, signal.SIGKILL)

    wait_until(lambda: not before.processes["worker"].is_alive)
    assert not is_running(owner.home)
    started = owner.types("up", "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    assert owner.note().supervisor.pid != before.supervisor.pid
    assert [name for name, one in before.processes.items() if one.is_alive] == []


def test_down_stops_everything_in_time_and_leaves_nothing(owner: Owner) -> None:
    before = owner.note()
    database = embedded.running(owner.home)
    assert database is not None
    postgres = Footprint.of(database.pid)

    began = time.monotonic()
    stopped = owner.types("down")
    took = time.monotonic() - began

    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert took < 10 + start_of_the_console()
    assert not before.supervisor.is_alive
    assert [name for name, one in before.processes.items() if one.is_alive] == []
    assert not postgres.is_alive
    assert is_free(owner.port)
    assert not (owner.home / "runtime.env").exists()
    assert not (owner.home / "stack.json").exists()


def test_each_start_and_each_stop_is_in_the_log_once(owner: Owner) -> None:
    """Of the last start: a simulated account's log begins with it, and so does what is kept on disk of it."""
    url = embedded.start(owner.home).url_of("maemae_simulated")
    stores = PostgresStores(url, channel="dev", account=ACCOUNT)
    with stores.begin() as work:
        rows = work.audit.chain()
    stores.close()
    embedded.stop(owner.home)

    acts = [row.action for row in rows]
    file = AuditFile(owner.home / AUDIT_FILE, channel="dev", account=ACCOUNT)
    assert (acts[0], acts[-1]) == ("up", "down")
    assert [acts.count(act) for act in ("up", "down")] == [1, 1]
    assert {row.actor for row in (rows[0], rows[-1])} == {"operator"}
    assert {"channel", "commit", "version"} <= rows[-1].entry.detail.keys()
    assert first_flaw(rows, mark=file.read()) is None


def start_of_the_console() -> float:
    """Seconds that the console takes to start, which says how busy the machine is."""
    began = time.monotonic()
    subprocess.run((MAEMAE, "--version"), check=True, capture_output=True)  # noqa: S603 - our words
    return time.monotonic() - began


def test_down_without_a_stack_is_fine(owner: Owner) -> None:
    assert owner.types("down").returncode == 0


def test_a_taken_port_is_one_sentence_and_nothing_is_started(owner: Owner) -> None:
    words = f"import http.server as s; s.HTTPServer(('127.0.0.1', {owner.port}), s.BaseHTTPRequestHandler).serve_forever()"
    log = owner.home / "stranger.log"
    stranger = Program(
        "stranger",
        (sys.executable, "-c", words),
        dict(os.environ),
        log,
        lambda: not is_free(owner.port),
    )
    stranger.start()
    stranger.wait_until_ready()

    refused = owner.types("up")
    stranger.stop(within=2)

    assert refused.returncode == 2
    (sentence,) = refused.stderr.strip().splitlines()
    assert "MAEMAE_PREFECT_PORT" in sentence
    assert str(owner.port) in sentence
    assert embedded.running(owner.home) is None


def test_a_live_channel_without_keys_starts_nothing(owner: Owner) -> None:
    refused = subprocess.run(  # noqa: S603 - our words
        (MAEMAE, "up"),
        env=owner.environment | {"MAEMAE_CHANNEL": "live"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    (sentence,) = refused.stderr.strip().splitlines()
    assert "MAEMAE_KIS" in sentence
    assert embedded.running(owner.home) is None
