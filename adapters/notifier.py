"""This is how maemae speaks to its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Severity(StrEnum):
    """How soon the owner should look."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class Message:
    """One notification: a title, a sentence or more, and figures to show beside it."""

    severity: Severity
    title: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


class Notifier(Protocol):
    """Delivers messages; never raises into trading, a failed delivery is logged and kept."""

    def send(self, message: Message) -> None:
        """Deliver one message."""
        ...
