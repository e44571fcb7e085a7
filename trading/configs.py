"""This is one numbered version of a channel: settings and code, what was proposed when, whether it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A version; `digest` identifies its settings, `approved_at` is None as long as nobody has approved it.

    `commit` is the code that goes with them, "" where nobody can tell.
    """

    version: int
    digest: str
    document: Mapping[str, Any]
    reason: str
    at: datetime
    approved_at: datetime | None = None
    commit: str = ""

    @property
    def snapshot(self) -> tuple[str, str]:
        """What decides how it trades: code and settings."""
        return self.commit, self.digest

    @property
    def is_approved(self) -> bool:
        """Whether it may ever have been in force."""
        return self.approved_at is not None
