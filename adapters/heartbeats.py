"""This is a process's sign of life: a file that it locks and writes into; what hangs holds the lock and writes no more."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life: which process gave it, and its number among all of them."""

    pid: int
    number: int


@dataclass(slots=True)
class Heart:
    """Gives signs of life at `path` for this process, as long as no other one does.

    Each is written over the one before, which a full disk takes, too. Death frees the lock, whatever kills.
    """

    path: Path
    _descriptor: int | None = None
    _number: int = 0

    def beat(self) -> None:
        """Give one; where the file cannot be written nobody watches over us, and that is all."""
        with suppress(OSError):
            descriptor = self._open()
            if descriptor is not None:
                self._number += 1
                os.pwrite(descriptor, f"{os.getpid()} {self._number}".ljust(_LENGTH).encode(), 0)

    def stop(self) -> None:
        """Free the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int | None:
        if self._descriptor is None:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
            else:
                self._descriptor = descriptor
        return self._descriptor


def last_beat(path: Path) -> Beat | None:
    """Give the newest sign of the process that is at work, None when none is."""
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, number = file.read(_LENGTH).split()
                return Beat(int(pid), int(number))
    except (OSError, ValueError):
        return None
    return None
