"""This is how the stack runs other programs: out of the terminal's reach, watched, and ended whole."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trading.errors import MaemaeError

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PAUSE: Final = 0.05
_LEFT_BEHIND_SECONDS: Final = 3.0
"""A flow run outlives a worker that was killed, if it was told so too early to hear it."""


class StartFailed(MaemaeError):
    """A program of the stack ended or did not get ready in time; the message holds its last words."""


@dataclass(slots=True)
class Program:
    """One program and how to know that it is ready.

    It runs in a session of its own, so that Ctrl-C reaches only us, and takes its children along when it is
    stopped. What it says goes to `log`. On Linux it gets SIGTERM when we die.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool] = lambda: True
    patience: float = 90.0
    """Seconds until it must be ready."""
    _child: subprocess.Popen[bytes] | None = None
    _groups: list[int] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it; `wait_until_ready` says when it serves. What its last life left behind is ended first."""
        self.stop(within=_LEFT_BEHIND_SECONDS)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))  # what it said before its last end
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own words
                self.command,
                env=dict(self.environment),
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call
            )
        self._groups.append(self._child.pid)

    def wait_until_ready(self) -> None:
        """Wait until it serves.

        Raises:
            StartFailed: when it ends or takes longer than `patience`.
        """
        deadline = time.monotonic() + self.patience
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                raise StartFailed(f"{self.name}: {self.last_words}")
            time.sleep(_PAUSE)

    @property
    def last_words(self) -> str:
        """The last line of its log."""
        with suppress(OSError, IndexError):
            return self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1]
        return "-"

    def stop(self, *, within: float) -> None:
        """End it and all its children: ask first, insist after `within` seconds."""
        end_groups(self._groups, within=within)
        self._groups.clear()
        if self._child is not None:
            self._child.wait()


def end_groups(groups: Iterable[int], *, within: float) -> None:
    """End every process of these groups: SIGTERM, and SIGKILL for what is left after `within` seconds."""
    left = [group for group in groups if _signal(group, signal.SIGTERM)]
    deadline = time.monotonic() + within
    while left and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        left = [group for group in left if _is_alive(group)]
    for group in left:
        _signal(group, signal.SIGKILL)
    while any(_is_alive(group) for group in left) and time.monotonic() < deadline + 1:
        time.sleep(_PAUSE)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: a group of zombies
        return False
    return True


def _is_alive(group: int) -> bool:
    """Tell whether any process of `group` lives, and reap those of ours that do not."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    return _signal(group, 0)


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
