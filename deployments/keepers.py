"""This is how the stack keeps its parts running: look, start again, give up when it happens too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from trading.errors import MaemaeError


class Service(Protocol):
    """Something of the stack that must run: a program, the database, a thread."""

    name: str

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        ...

    @property
    def last_words(self) -> str:
        """What it said last."""
        ...

    def start(self) -> None:
        """Start it, or start it again."""
        ...

    def stop(self, *, within: float) -> None:
        """End it in order within so many seconds, then by force."""
        ...


class GaveUp(MaemaeError):
    """A part of the stack ended more often than it may."""


@dataclass(slots=True)
class Keeper:
    """Starts a service again when it has ended, `limit` times within `window` seconds and no more.

    One that runs but has not been healthy for `patience` seconds is ended first. Without one that is not
    vital all goes on.
    """

    service: Service
    is_healthy: Callable[[], bool] = lambda: True
    limit: int = 5
    is_vital: bool = True
    window: float = 600.0
    patience: float = 60.0
    pause: float = 10.0
    """Seconds between two questions after its health."""
    _restarts: list[float] = field(default_factory=list)
    _asked_at: float = 0.0
    _healthy_at: float = field(default_factory=time.monotonic)

    def keep(self) -> bool:
        """Look once; True when it was started again.

        Raises:
            GaveUp: when that would be once too often.
        """
        if self.service.is_running and not self._is_stuck():
            return False
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < self.window]
        if len(self._restarts) >= self.limit:
            if not self.is_vital:
                return False
            raise GaveUp(f"{self.service.name}: {self.service.last_words}")
        self._restarts.append(now)
        self._healthy_at = now
        self.service.start()
        return True

    def _is_stuck(self) -> bool:
        now = time.monotonic()
        if now - self._asked_at < self.pause:
            return False
        self._asked_at = now
        if self.is_healthy():
            self._healthy_at = now
        if now - self._healthy_at < self.patience:
            return False
        self.service.stop(within=2)
        return True
