"""This is the simulator's time: it stands, steps to where it is told, or runs at a factor of real time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta


class MarketClock:
    """Market time over real seconds (`real_time`, monotonic). A factor of 0 stands."""

    def __init__(self, at: datetime, factor: float, real_time: Callable[[], float]) -> None:
        self.factor = factor
        self._real_time = real_time
        self._until: datetime | None = None
        self._set(at)

    def now(self) -> datetime:
        """Return the market time that has come, aware."""
        passed = (self._real_time() - self._anchor_real) * self.factor
        at = self._anchor + timedelta(seconds=passed)
        return min(at, self._until) if self._until else at

    def move_to(self, at: datetime) -> None:
        """Set the time; never back."""
        self._set(max(at, self.now()))

    def run(self, factor: float, until: datetime | None = None) -> None:
        """Run at `factor` times real time from now on, and stand from `until` on."""
        self._set(self.now())
        self.factor, self._until = factor, until

    def is_running(self) -> bool:
        """Tell whether time passes by itself."""
        return self.factor > 0 and (self._until is None or self.now() < self._until)

    def _set(self, at: datetime) -> None:
        self._anchor, self._anchor_real = at, self._real_time()
        if self._until is not None and at >= self._until:
            self.factor, self._until = 0, None
