"""This is where frames go that nobody can read: a file of JSON lines, as they came and why, kept small."""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.kis.files import make_private_folder

_LOG = logging.getLogger(__name__)
_LARGEST_FILE: Final = 8 * 1024 * 1024
_LONGEST_TEXT: Final = 64 * 1024


class DeadFrames:
    """Appends to `<folder>/frames.jsonl`, for the owner's eyes only; the file before it is kept as `.1`.

    Frames stay as they came, notices encrypted.
    """

    def __init__(self, folder: Path, *, largest: int = _LARGEST_FILE) -> None:
        self.path = folder / "frames.jsonl"
        self._largest = largest

    def keep(self, text: str, reason: str, *, at: datetime) -> None:
        """Keep one frame; a disk that takes nothing is logged and never raises."""
        letter = {"at": at.isoformat(), "reason": reason, "frame": text[:_LONGEST_TEXT]}
        try:
            make_private_folder(self.path.parent)
            if self.path.exists() and self.path.stat().st_size >= self._largest:
                self.path.replace(self.path.with_suffix(".jsonl.1"))
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"{json.dumps(letter)}\n".encode())
            finally:
                os.close(descriptor)
        except OSError:
            _LOG.exception("a frame that cannot be read was not kept")
