"""This is looking whether the stream that runs is alive: one that hangs is ended, so that another can take its place."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.heartbeats import Beat, last_beat

PATIENCE: Final = 20.0
"""Seconds without a sign of life: more than a wait for the database (15) and one for Slack (3) take together, and the
next stream has to work within 30."""
_LATE: Final = 5.0
"""Seconds between two looks after which we have slept ourselves, with the whole machine perhaps."""


@dataclass(slots=True)
class HeartMonitor:
    """Looks at the signs of life in one file."""

    path: Path
    patience: float = PATIENCE
    _seen: Beat | None = None
    _seen_at: float = 0.0
    _looked_at: float = 0.0

    def look(self) -> bool:
        """Look once; True when the process hung and was killed: to be asked is more than it can take.

        Its connections end with it, and with them its lock in the database.
        """
        now, beat = time.monotonic(), last_beat(self.path)
        if beat is None or beat != self._seen or now - self._looked_at > _LATE:
            self._seen, self._seen_at = beat, now
        self._looked_at = now
        if beat is None or now - self._seen_at < self.patience:
            return False
        with suppress(ProcessLookupError):  # it has ended this very moment
            os.kill(beat.pid, signal.SIGKILL)
        return True
