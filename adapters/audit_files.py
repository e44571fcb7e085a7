"""This is the newest audit hash on disk, beside the halt file: it shows when the end of the log was cut off."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from adapters.waiting_acts import WaitingActs
from trading.audits import AuditMark
from trading.errors import StoreUnavailable

AUDIT_FILE: Final = "audit.json"
_WAITING: Final = "acts"
"""The folder beside it, of what the database could not take."""


class AuditFile:
    """One account's mark in a small file that all accounts of this home share."""

    def __init__(self, path: Path, *, channel: str, account: str) -> None:
        """Take the file's place; it need not exist."""
        self._path, self._lock = path, path.with_suffix(".lock")
        owner = f"{channel}/{account}"
        self._key = hashlib.sha256(owner.encode()).hexdigest()[:16]  # account numbers are private
        self.waiting = WaitingActs(path.parent / _WAITING / self._key)

    def read(self) -> AuditMark | None:
        """Give what was kept, None when nothing was.

        Raises:
            OSError, ValueError: when the file cannot be read as one of ours.
        """
        kept = self._marks().get(self._key)
        return AuditMark(int(kept["number"]), str(kept["digest"])) if kept else None

    def keep(self, mark: AuditMark, *, still_has: Callable[[AuditMark], bool]) -> None:
        """Keep the newest mark; never goes back, and never on from a row that the log has lost.

        What disk or database refuse is let go: the act itself is committed.
        """
        with suppress(OSError, ValueError, StoreUnavailable), self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self.read()
            if kept is None or (kept.number < mark.number and still_has(kept)):
                self._write({"number": mark.number, "digest": mark.digest})

    def forget(self) -> None:
        """Begin anew with a new log: only for one that was thrown away on purpose, as a simulated account's is."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._replace({key: mark for key, mark in self._marks().items() if key != self._key})

    def _marks(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        marks = json.loads(self._path.read_text(encoding="utf-8"))
        if not isinstance(marks, dict):
            raise ValueError(f"{self._path.name} is no mapping")  # noqa: TRY004 - as any other odd content
        return marks

    def _write(self, mark: dict[str, Any]) -> None:
        self._replace({**self._marks(), self._key: mark})

    def _replace(self, marks: dict[str, Any]) -> None:
        draft = self._path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(marks, indent=1), encoding="utf-8")
        os.replace(draft, self._path)  # noqa: PTH105 - the one call that replaces at once
