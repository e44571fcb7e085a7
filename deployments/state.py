"""This is what a running stack leaves on disk: a lock while it lives, and a note of what it started."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from deployments.processes import end_groups
from trading.errors import MaemaeError

_LOCK: Final = "stack.lock"
_NOTE: Final = "stack.json"
_RUNTIME: Final = "runtime.env"

type Phase = Literal["starting", "ready", "stopping"]


class AlreadyRunning(MaemaeError):
    """Another stack of the same home runs."""


class Footprint(BaseModel):
    """A process, told from a later one with its number by when it began. It leads its own group."""

    pid: int
    birth: str

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """Take the footprint of a running process."""
        return cls(pid=pid, birth=_birth_of(pid))

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return bool(self.birth) and _birth_of(self.pid) == self.birth


class StackNote(BaseModel):
    """What runs: `<home>/stack.json`. It holds no secret."""

    phase: Phase
    supervisor: Footprint
    channel: str
    prefect_api_url: str
    simulator_url: str | None = None
    processes: dict[str, Footprint] = {}

    @property
    def prefect_ui_url(self) -> str:
        """The address of the Prefect UI."""
        return self.prefect_api_url.removesuffix("/api")


@contextmanager
def only_stack(home: Path) -> Iterator[None]:
    """Hold the lock of `home`; death releases it, so a lock that is held is a stack that lives.

    Raises:
        AlreadyRunning: when another stack holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = read_note(home)
            where = f" (pid {note.supervisor.pid}, {note.prefect_ui_url})" if note else ""
            raise AlreadyRunning(f"{home}{where}") from None
        yield


def is_running(home: Path) -> bool:
    """Tell whether a stack of `home` lives."""
    try:
        with only_stack(home):
            return False
    except AlreadyRunning:
        return True


def read_note(home: Path) -> StackNote | None:
    """Read what runs or ran; None when there is nothing or it cannot be read."""
    try:
        return StackNote.model_validate_json((home / _NOTE).read_bytes())
    except (OSError, ValidationError):
        return None


def write_note(home: Path, note: StackNote) -> None:
    """Replace the note."""
    _replace(home / _NOTE, json.dumps(note.model_dump(), indent=2) + "\n")


def write_runtime(home: Path, variables: Mapping[str, str]) -> None:
    """Tell console commands and flow runs of this home where database and broker are."""
    _replace(home / _RUNTIME, "".join(f"{name}={value}\n" for name, value in variables.items()))


def forget(home: Path) -> None:
    """Remove what only a running stack has."""
    (home / _RUNTIME).unlink(missing_ok=True)
    (home / _NOTE).unlink(missing_ok=True)


def end_leftovers(home: Path, *, within: float = 3.0) -> tuple[str, ...]:
    """End what a stack that was killed left running; give the names. Only for the holder of the lock."""
    note = read_note(home)
    alive = {} if note is None else {n: p for n, p in note.processes.items() if p.is_alive}
    end_groups((footprint.pid for footprint in alive.values()), within=within)
    forget(home)
    return tuple(alive)


def _birth_of(pid: int) -> str:
    """Return when a process began; "" when there is none, or one that has ended and waits to be cleared away."""
    if sys.platform != "linux":
        return _asked_birth(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _asked_birth(pid: int) -> str:
    words = ("ps", "-o", "lstart=", "-p", str(pid))
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - our words


def _replace(target: Path, text: str) -> None:
    """Write atomically, for our eyes only."""
    draft = target.with_name(f"{target.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(target)
