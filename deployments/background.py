"""This is the stack as a service: started in the background, found again, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from deployments.processes import StartFailed
from deployments.state import StackNote, is_running, read_note

_START_PATIENCE: Final = 180.0
_STOP_PATIENCE: Final = 15.0
_PAUSE: Final = 0.1
_COMMAND: Final = "import sys; from deployments.cli import main; sys.exit(main(['up']))"


def start_in_background(home: Path) -> StackNote:
    """Start `maemae up` out of the terminal's reach and wait until it is ready.

    Raises:
        StartFailed: with its last words.
    """
    log = home / "logs" / "stack.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as words:
        child = subprocess.Popen(  # noqa: S603 - our own words
            (sys.executable, "-c", _COMMAND),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        note = read_note(home)
        if note is not None and note.supervisor.pid == child.pid and note.phase == "ready":
            return note
        time.sleep(_PAUSE)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise StartFailed(lines[-1] if lines else str(log))


def stop_from_outside(home: Path) -> bool:
    """Ask the stack of `home` to stop and wait until it has; False when none runs."""
    note = read_note(home)
    if not is_running(home) or note is None:
        return False
    os.kill(note.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_PATIENCE
    while note.supervisor.is_alive and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return not note.supervisor.is_alive
