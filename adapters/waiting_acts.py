"""This is the acts that no database could take: a file for each, until the audit log takes them in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from trading.audits import BEHIND, WAITED, AuditEntry, seal_of
from trading.errors import DiskFull

_NEWEST: Final = "newest"
"""The file that names the act that came last, as long as it waits: without it nobody would miss that one."""


@dataclass(frozen=True, slots=True)
class WaitingAct:
    """One act that waits, named by its time."""

    name: str
    entry: AuditEntry
    at: datetime


class WaitingActs:
    """One account's acts that wait, in a folder for the owner's eyes only; it is made with the first of them.

    Anybody may add one at any time, without a lock: a process that is stopped keeps no halt waiting. Each tells
    in its name what it says, and in its detail behind which one it came, so that a change on disk shows when the
    log is verified.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder's place."""
        self._folder = folder

    def keep(self, entry: AuditEntry, *, at: datetime) -> None:
        """Let an act wait; it is on disk when this returns.

        Raises:
            DiskFull: when the disk does not take it.
        """
        behind = self._newest()
        sealed = replace(entry, detail={**entry.detail, **({BEHIND: behind} if behind else {})})
        row = {"actor": entry.actor, "action": entry.action, "detail": sealed.detail}
        line = json.dumps({**row, "at": at.astimezone(UTC).isoformat()}, ensure_ascii=False)
        name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{seal_of(sealed, at)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(f"{name}.json", line.encode())
            self._write(_NEWEST, name.encode())
        except OSError as error:
            raise DiskFull(f"{self._folder}: {error.strerror}") from error

    def all(self) -> tuple[WaitingAct, ...]:
        """Give what waits, oldest first, its name in its detail; what cannot be read is left lying."""
        return tuple(self._read())

    def drop(self, names: Iterable[str]) -> None:
        """Let go of what the log has taken in."""
        gone = set(names)
        files = [f"{name}.json" for name in gone] + ([_NEWEST] if self._newest() in gone else [])
        for file in files:
            with suppress(OSError):  # taken in again, it is known by its name
                (self._folder / file).unlink(missing_ok=True)

    def missed(self) -> str:
        """Name the act that came last if it waits no longer: the log must have it. Nothing when there is none."""
        newest = self._newest()
        return "" if newest in {act.name for act in self.all()} else newest

    def _newest(self) -> str:
        try:
            return (self._folder / _NEWEST).read_text("utf-8")
        except (OSError, ValueError):
            return ""

    def _read(self) -> Iterator[WaitingAct]:
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                row = json.loads(path.read_text("utf-8"))
                entry = AuditEntry(row["actor"], row["action"], dict(row["detail"]))
                entry = replace(entry, detail={**entry.detail, WAITED: path.stem})
                yield WaitingAct(path.stem, entry, datetime.fromisoformat(row["at"]))

    def _write(self, name: str, content: bytes) -> None:
        """Write a whole file or none."""
        draft = self._folder / f"{token_hex(8)}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / name)
