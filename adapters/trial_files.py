"""This is the finished trials of a sweep on disk: one JSON line each, appended whole, so that nothing is tried twice.

A file is one question (strategy, options, bars, code); files about the same strategy and bars lie in one folder, and
all their lines are tries.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from trading.errors import BadInput

ENDING: Final = ".jsonl"
_SHOWN: Final = 40
"""Bytes of a line that is told."""

type Document = Mapping[str, Any]


class TrialFile:
    """The finished trials of one question. Every document has its own `key`."""

    def __init__(self, path: Path) -> None:
        """Read what is finished; a last line that a crash cut off is taken away when the next is written.

        Raises:
            BadInput: naming file and line, for one that is no finished trial.
        """
        self.path = path
        self.finished: dict[str, Document] = {}
        self._whole = 0
        self._read()

    def _read(self) -> None:
        self.finished, self._whole = {}, 0
        for number, (line, end) in enumerate(_lines(self.path), 1):
            try:
                document = json.loads(line)
                self.finished[document["key"]] = document
            except (ValueError, TypeError, KeyError):
                where, expected = f"{self.path} line {number}", "a finished trial; remove the line"
                raise BadInput(where, line[:_SHOWN], expected) from None
            self._whole = end

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file, so that two sweeps never write to it at once; at the end all of it is on the disk.

        What another one has finished meanwhile is finished.

        Raises:
            BadInput: when another process does.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                expected = "no other sweep that asks the same; it is running"
                raise BadInput("sweep", self.path.stem, expected) from None
            if file.tell() != self._whole:
                self._read()
            file.truncate(self._whole)
            try:
                yield
            finally:
                os.fsync(file.fileno())

    def add(self, documents: Iterable[Document]) -> None:
        """Append finished trials: whatever ends this process now, they are kept."""
        new = [each for each in documents if each["key"] not in self.finished]
        lines = "".join(json.dumps(dict(each), ensure_ascii=False) + "\n" for each in new)
        with self.path.open("ab") as file:
            file.write(lines.encode())
        self.finished |= {each["key"]: each for each in new}


def tried_in(folder: Path) -> Iterator[Document]:
    """Give the different trials of every question in a folder."""
    for path in sorted(folder.glob(f"*{ENDING}")):
        yield from TrialFile(path).finished.values()


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Give the whole lines, and where each ends."""
    if not path.is_file():
        return
    end = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            yield line, end
