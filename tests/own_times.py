"""This is how long something took by itself: the wall's time less what other programs had of the processors."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

TICKS = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)
"""Idle and waiting for a disk, among the columns of /proc/stat."""
_PARENT, _FIRST, _LAST = 1, 11, 15
"""Behind the name in /proc/<pid>/stat: the parent, and the processor times, those of ended children included."""


class OwnTime:
    """Measures from its making on; `mark` is a word in the command line or environment of all that belongs to it.

    On a quiet machine it is the wall's time. It is never less than what its own processes have counted.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode()
        self._began, self._busy, self._ours = monotonic(), _busy(), self._used()

    def seconds(self) -> float:
        """Give the seconds so far."""
        took, ours = monotonic() - self._began, self._used() - self._ours
        others = max(0.0, _busy() - self._busy - ours)
        return max(took - others / _cores(), min(ours, took))

    def _used(self) -> float:
        """Sum the processor seconds of what belongs to it, and of what this process has waited for."""
        waited = resource.getrusage(resource.RUSAGE_CHILDREN)
        return waited.ru_utime + waited.ru_stime + sum(_seconds(pid) for pid in self._members())

    def _members(self) -> set[int]:
        """Find the processes with the mark, and all below them."""
        parents = dict(_parents())
        found = {pid for pid in parents if pid != os.getpid() and self._is_marked(pid)}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def _is_marked(self, pid: int) -> bool:
        try:
            words = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            return False
        return any(self._mark in word for word in words)


def _busy() -> float:
    """Sum the seconds that all processors have worked, those that a host took away included."""
    figures = Path("/proc/stat").read_text("utf-8").split("\n", 1)[0].split()[1:9]
    return sum(int(f) for place, f in enumerate(figures) if place not in _IDLE) / TICKS


def _cores() -> int:
    lines = Path("/proc/stat").read_text("utf-8").splitlines()
    return sum(line.startswith("cpu") for line in lines) - 1


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (figures := _figures(int(folder.name))):
            yield int(folder.name), int(figures[_PARENT])


def _seconds(pid: int) -> float:
    return sum(int(figure) for figure in _figures(pid)[_FIRST:_LAST]) / TICKS


def _figures(pid: int) -> list[str]:
    """Give the columns behind the name, none for a process that is over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []
