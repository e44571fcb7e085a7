"""This is the pace: one limit of calls a second per appkey for all processes, orders first.

The state is a small file under a lock that the kernel frees with its holder. It holds the moments of the last
calls and who waits. A call may go when it is first in line (order > cancel > account > quote, then by arrival)
and the window behind it has room. Reads leave one place of every window free, so an order never waits for
reads, and keep their distance from each other; orders take any free place at once. A waiter that died is
forgotten when the moment passes at which it wanted to look again.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from time import monotonic
from typing import Any, Final

from adapters.kis.files import make_private_folder, try_lock
from trading.errors import Unavailable

_WINDOW: Final = 1.1
"""Seconds: the broker counts a second by its own clock; a call may reach it this much late or early."""
_LOCK_PAUSE: Final = 0.002
_LOCK_PATIENCE: Final = 5.0
_GRACE: Final = 0.25
"""Seconds that a waiter may be late before others stop waiting for it."""


class Priority(IntEnum):
    """Who goes first."""

    ORDER = 0
    CANCEL = 1
    ACCOUNT = 2
    QUOTE = 3

    @property
    def uses_reserve(self) -> bool:
        """Whether the place that reads leave free is for this call."""
        return self <= Priority.CANCEL


@dataclass(slots=True)
class _Line:
    """What the file holds: when calls went, and who waits: (priority, arrived, looks again by)."""

    sent: list[float] = field(default_factory=list)
    waiting: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, descriptor: int, now: float) -> _Line:
        """Read what still counts. Unreadable content, or moments from before a reboot, count for nothing."""
        try:
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            document: Any = json.loads(content.partition(b"\n")[0] or b"{}")
            sent = [float(at) for at in document.get("sent", ())]
            waiting = {
                str(name): (int(priority), float(arrived), float(until))
                for name, (priority, arrived, until) in document.get("waiting", {}).items()
            }
        except (ValueError, TypeError, AttributeError):
            return cls()
        return cls(
            [at for at in sent if now - _WINDOW < at <= now],
            {name: seat for name, seat in waiting.items() if seat[1] <= now <= seat[2]},
        )

    def write(self, descriptor: int) -> None:
        """Write one line in one call; what may stand behind it is cut off and never read."""
        content = json.dumps({"sent": self.sent, "waiting": self.waiting}).encode() + b"\n"
        os.pwrite(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))

    def wait_of(self, name: str, priority: Priority, *, limit: int, now: float) -> float:
        """Return the seconds until this caller may look again, 0 when it may go now."""
        ahead = [seat for other, seat in self.waiting.items() if other != name]
        mine = self.waiting[name][:2]
        free_at = _free_at(self.sent, priority, limit)
        if free_at > now:
            return free_at - now
        return _WINDOW / limit / 2 if any(seat[:2] < mine for seat in ahead) else 0.0


def _free_at(sent: list[float], priority: Priority, limit: int) -> float:
    """Return the moment from which the window has a place for this priority."""
    places = limit if priority.uses_reserve else max(1, limit - 1)
    free_at = sent[-places] + _WINDOW if len(sent) >= places else 0.0
    if not priority.uses_reserve and sent:
        return max(free_at, sent[-1] + _WINDOW / places)
    return free_at


class Throttle:
    """The line of one appkey. All processes with the same folder and name stand in it."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        calls_per_second: int,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._path = make_private_folder(folder) / f"{name}.line"
        self._limit = calls_per_second
        self._now = now

    async def wait_turn(self, priority: Priority) -> None:
        """Return when a call may go; it has then been counted.

        Raises:
            Unavailable: when the shared file cannot be had; nothing was sent.
        """
        name, arrived = secrets.token_hex(6), self._now()
        try:
            while pause := await self._look(name, priority, arrived):  # noqa: ASYNC110 - of other processes
                await asyncio.sleep(pause)
        except asyncio.CancelledError:
            await asyncio.shield(self._leave(name))
            raise

    async def hold_back(self) -> None:
        """Let everybody pause for one window: the broker has said that we were too fast."""
        async with self._line() as line:
            line.sent = [*line.sent, *[self._now()] * self._limit]

    async def _look(self, name: str, priority: Priority, arrived: float) -> float:
        async with self._line() as line:
            now = self._now()
            line.waiting[name] = (priority, arrived, now)
            pause = line.wait_of(name, priority, limit=self._limit, now=now)
            if pause:
                line.waiting[name] = (priority, arrived, now + pause + _GRACE)
            else:
                del line.waiting[name]
                line.sent.append(now)
            return pause

    async def _leave(self, name: str) -> None:
        async with self._line() as line:
            line.waiting.pop(name, None)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[_Line]:
        deadline = self._now() + _LOCK_PATIENCE
        while self._now() < deadline:
            with try_lock(self._path) as descriptor:
                if descriptor is not None:
                    line = _Line.read(descriptor, self._now())
                    yield line
                    line.write(descriptor)
                    return
            await asyncio.sleep(_LOCK_PAUSE)
        raise Unavailable(f"{self._path.name}: the shared pace is locked by a process that hangs")
