"""This is the traffic rule: so many calls within any one second, counted per appkey in real time."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable


class Pace:
    """A sliding window of one second. No limit when `per_second` is None."""

    def __init__(self, per_second: int | None, real_time: Callable[[], float]) -> None:
        self._per_second = per_second
        self._real_time = real_time
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def admits(self, who: str) -> bool:
        """Count a call and tell whether it is within the limit; a refused call does not count."""
        if self._per_second is None:
            return True
        now, calls = self._real_time(), self._calls[who]
        while calls and now - calls[0] >= 1:
            calls.popleft()
        if len(calls) >= self._per_second:
            return False
        calls.append(now)
        return True
