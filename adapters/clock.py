"""This is time: the only module that reads a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time of the market that we trade on."""

    def now(self) -> datetime:
        """Give the current time, aware UTC."""
        ...


class BrokerClock(Protocol):
    """Tells how far the broker's clock and this computer's are apart."""

    def offset(self) -> timedelta | None:
        """Give how far the broker's is ahead at least, negative when behind; None while nobody knows."""
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


class SimulatorClock:
    """The virtual clock of a running simulator, asked over HTTP each time."""

    def __init__(self, url: str) -> None:
        """Take the simulator's base address, e.g. http://127.0.0.1:9443."""
        import httpx  # noqa: PLC0415 - a tenth of a second, and most clocks are the computer's

        self._client = httpx.Client(base_url=url, timeout=30)

    def now(self) -> datetime:
        """Give the simulated time, aware UTC."""
        reply = self._client.get("/sim/clock").raise_for_status()
        return datetime.fromisoformat(reply.json()["now"]).astimezone(UTC)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
