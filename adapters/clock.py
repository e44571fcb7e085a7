"""This is time: the only module that reads a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of the market that we trade on."""

    def now(self) -> datetime:
        """Give the current time, aware UTC."""
        ...


class SystemClock:
    """The computer's clock; NTP keeps it right."""

    def now(self) -> datetime:
        """Give the current time, aware UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands until it is moved; for tests and dry runs."""

    at: datetime

    def now(self) -> datetime:
        """Give the time it was set to."""
        return self.at

    def move_to(self, at: datetime) -> None:
        """Set the time; it never runs backwards."""
        if at < self.at:
            raise ValueError(f"at={at.isoformat()}: not before {self.at.isoformat()}")
        self.at = at
