"""This is a disk of one megabyte that can be filled to the last byte, for real."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZE = "1m"


@dataclass(frozen=True)
class Disk:
    """A folder with a file system of its own."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 512)

    def empty(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()


@contextmanager
def a_full_disk(folder: Path, size: str = SIZE) -> Iterator[Disk]:
    """Mount one at `folder`; where that is not allowed, the test cannot be made here."""
    folder.mkdir(parents=True)
    libc = ctypes.CDLL(None, use_errno=True)
    kind = b"tmpfs"
    if libc.mount(kind, os.fsencode(folder), kind, 0, f"size={size},mode=1777".encode()):
        code = ctypes.get_errno()
        pytest.skip(f"mounting needs to be root: {errno.errorcode[code]}")
    try:
        yield Disk(folder)
    finally:
        libc.umount2(os.fsencode(folder), 2)  # MNT_DETACH: whatever is open still
        folder.rmdir()
