"""This is where tracebacks go: a file, since the owner is told in one sentence."""

from __future__ import annotations

import traceback
from pathlib import Path

from adapters.clock import SystemClock
from adapters.redaction import Redactor
from deployments.console.speech import home


def keep(error: Exception) -> Path:
    """Add the traceback to `<home>/logs/console.log`, readable by the owner alone; give the file."""
    path = home() / "logs" / "console.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    lines = Redactor().clean_text("".join(traceback.format_exception(error)))
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{SystemClock().now().isoformat()} {lines}\n")
    return path
