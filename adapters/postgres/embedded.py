"""This is maemae's own PostgreSQL server: made, started, adopted and stopped below the home folder."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from adapters.postgres.installations import (
    Installation,
    Owner,
    find_installation,
    make_passable,
    make_reachable,
)
from adapters.postgres.places import Place, choose_place, find_place, give, with_free_port
from trading.errors import StoreUnavailable

USER: Final = "maemae"
DATABASES: Final = ("maemae", "prefect")
CONFIGURATION: Final = """
# maemae: this machine only, no socket file, UTC
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
"""
_PATIENCE: Final = 20.0
"""Seconds for what passes: after a kill the dead server's traces stand until the system has reaped it."""
_PASSING: Final = ("lock file", "shared memory", "TCP/IP sockets")
"""What the server complains of then, and when another took its port in this very moment."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server of ours."""

    port: int
    pid: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The address of maemae's database."""
        return self.url_of("maemae")

    def url_of(self, database: str) -> str:
        """Return the address of one database."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"


def start(home: Path, *, settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Start the server of `home`, or adopt it if it runs; its data are made at the first start.

    It belongs to no terminal (Ctrl-C does not reach it) and runs until `stop`. `settings` override
    postgresql.conf for this start.

    Raises:
        InvalidSetting: when no PostgreSQL is installed.
        StoreUnavailable: when it does not come up; the message ends with its last words.
    """
    with _alone(home):
        place = find_place(home) or choose_place(home)
        server = _answering(place) or _launch(home, place, settings or {})
        _make_databases(server)
        return server


def running(home: Path) -> EmbeddedServer | None:
    """Return the server of `home` if it runs and answers."""
    place = find_place(home)
    return _answering(place) if place else None


def stop(home: Path) -> bool:
    """Stop the server of `home` in order, open connections cut; False when it did not run."""
    place = find_place(home)
    if place is None:
        return False
    with _alone(home):
        return bool(place.note) and _run(place, "pg_ctl", "stop", "-m", "fast", "-w", "-t", "30")


def stop_when_we_die(home: Path) -> subprocess.Popen[bytes]:
    """Let a small watcher stop the server of `home` when this process is gone, killed or not.

    For tests and demonstrations. Terminate the returned process to let the server live on.

    Raises:
        StoreUnavailable: when none was ever started.
    """
    place = find_place(home)
    if place is None:
        raise StoreUnavailable(f"{home}: no embedded PostgreSQL was started here")
    installation = _installation(place)
    stop_it = (installation.program("pg_ctl"), "-D", str(place.data), "stop", "-m", "immediate")
    return subprocess.Popen(  # noqa: S603 - our words
        # Our end of the pipe closes with us, which ends `read`.
        ("/bin/sh", "-c", 'read -r _; exec "$@"', "watcher", *stop_it),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **_manners(place),
    )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two starts cannot make two servers; death releases it."""
    folder = home / "postgres"
    make_passable(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _launch(home: Path, place: Place, settings: Mapping[str, str]) -> EmbeddedServer:
    place.make_folder()
    if not place.data.exists():
        _initialize(place)
    place.drop_foreign_note()
    deadline = time.monotonic() + _PATIENCE
    while not _try_to_start(place := with_free_port(home, place), settings):
        passes = any(trace in place.last_words for trace in _PASSING)
        if not passes or time.monotonic() > deadline:
            raise StoreUnavailable(f"embedded PostgreSQL in {place.data}: {place.last_words}")
        time.sleep(0.3)
    return EmbeddedServer(place.port, int(place.note[0]), place.password)


def _try_to_start(place: Place, settings: Mapping[str, str]) -> bool:
    """Start and wait until it accepts connections; recovery after a crash may take its time."""
    options = " ".join(
        (f"-p {place.port}", *(f"-c {name}={value}" for name, value in settings.items()))
    )
    log = str(place.log)
    return _run(place, "pg_ctl", "start", "-w", "-t", "600", "-l", log, "-o", options)


def _initialize(place: Place) -> None:
    """Make the data aside and put them in place whole, so that a kill leaves none or all of them."""
    unfinished, password = place.folder / "data.new", place.folder / "password"
    shutil.rmtree(unfinished, ignore_errors=True)
    password.touch(mode=0o600)
    password.write_text(place.password, encoding="utf-8")
    give(password, place.owner)
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    words = ("-U", USER, "-A", "scram-sha-256", "--pwfile", str(password), "-E", "UTF8", "-k")
    locales = ("--locale-provider=libc", f"--locale={locale}")
    is_made = _run(place, "initdb", *words, *locales, data=unfinished)
    password.unlink()
    if not is_made:
        raise StoreUnavailable(f"embedded PostgreSQL in {place.data}: {place.last_words}")
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(CONFIGURATION)
    unfinished.rename(place.data)


def _answering(place: Place) -> EmbeddedServer | None:
    """Return the server if the port in its note answers to our password, and for these data."""
    note = place.note
    if len(note) < 4:  # noqa: PLR2004 - pid, data, start, port
        return None
    server = EmbeddedServer(int(note[3]), int(note[0]), place.password)
    try:
        with psycopg.connect(server.url_of("postgres"), connect_timeout=3) as connection:
            answer = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.OperationalError:
        return None
    return server if answer and Path(answer[0]) == place.data else None


def _make_databases(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        for name in sorted(set(DATABASES) - {row[0] for row in rows}):
            connection.execute(f"CREATE DATABASE {name}".encode())


def _installation(place: Place) -> Installation:
    return make_reachable(find_installation(major=place.major), place.owner)


def _run(place: Place, program: str, *words: str, data: Path | None = None) -> bool:
    """Run one of PostgreSQL's programs as the server's user, what it says added to the log."""
    command = (_installation(place).program(program), "-D", str(data or place.data), *words)
    with place.log.open("ab") as log:
        give(place.log, place.owner)
        manners = _manners(place)
        result = subprocess.run(command, stdout=log, stderr=log, check=False, **manners)  # noqa: S603 - our words
    return result.returncode == 0


def _manners(place: Place) -> dict[str, Any]:
    """Return how the server's programs run: as its user, in its folder, out of the terminal's reach."""
    owner: Owner = place.owner
    user = {} if owner.is_us else {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    return {"cwd": place.folder, "start_new_session": True, **user}
