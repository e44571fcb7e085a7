"""This is one numbered version of a channel's settings: what was proposed when, and whether it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A version; `digest` identifies its content, `approved_at` is None as long as nobody has approved it."""

    version: int
    digest: str
    document: Mapping[str, Any]
    reason: str
    at: datetime
    approved_at: datetime | None = None

    @property
    def is_approved(self) -> bool:
        """Whether it may ever have been in force."""
        return self.approved_at is not None
