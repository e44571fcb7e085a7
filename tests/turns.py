"""This is whose turn it is among the processes that share the tests: a `timed` test has the machine to itself."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

TIMED: Final = "timed"
"""The marker of a test that fails when it is slowed down: it asks what the clock says."""
_FOLDER: Final = "PYTEST_TURNS"


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for the others' tests to end if `alone`, and let them wait; else share the machine with them.

    Who waits for the room stands in the door, so that nobody else goes in before. `folder` is the run's.
    """
    with _opened(folder / "door") as door, _opened(folder / "room") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    place = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield place
    finally:
        fcntl.flock(place, fcntl.LOCK_UN)  # a child may have it open still
        os.close(place)


class Turns:
    """The plugin: long files first, so that no process is left with one at the end; then those with timed tests.

    The process that was started first makes the folder and removes it; those that share its tests find it.
    """

    def __init__(self, *, is_first: bool) -> None:
        self._is_first = is_first
        if is_first:
            os.environ[_FOLDER] = tempfile.mkdtemp(prefix="maemae-turns-")
        self._folder = Path(os.environ[_FOLDER])

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # before the timeout begins to count
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, bool | None, bool | None]:
        """Wait for the turn of a test; where nobody else is, it is at once."""
        with turn(self._folder, alone=_is_timed(item)):
            return (yield)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort whole files: by how long their tests may take, those with timed ones behind all others."""
        files = [list(of_file) for _, of_file in groupby(items, key=lambda item: item.path)]
        items[:] = [item for of_file in sorted(files, key=_place) for item in of_file]

    def pytest_unconfigure(self) -> None:
        """Remove the folder."""
        if self._is_first:
            shutil.rmtree(self._folder, ignore_errors=True)


def _place(items: list[pytest.Item]) -> tuple[bool, float]:
    return any(map(_is_timed, items)), -max(map(_allowed, items))


def _is_timed(item: pytest.Item) -> bool:
    return item.get_closest_marker(TIMED) is not None


def _allowed(item: pytest.Item) -> float:
    """Give the seconds that a test says it may take."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0
