"""This is where a process may die: every durable step of an order's way, and the trap laid before or after it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Step(StrEnum):
    """What a process was doing. The first group happens in the database, the second on the wire."""

    LEASE = "lease taken"
    EVIDENCE = "commit before send"
    ACCEPTANCE = "commit after reply"
    FILL = "fill committed"
    REFUSAL = "refusal committed"
    CANCEL_REQUEST = "cancel request committed"
    CANCELED = "cancel committed"
    NOTICE_KEPT = "notice kept"
    SEARCH = "search noted"
    READY = "recovered"

    SEND = "order sent"
    BYTES = "bytes sent"
    TAKEN = "accepted by broker"
    REPLY = "reply read"
    CANCEL_SEND = "cancel sent"
    CANCEL_TAKEN = "cancel accepted"
    CANCEL_REPLY = "cancel reply read"
    NOTICE = "notice read"


class Moment(StrEnum):
    """On which side of a step."""

    BEFORE = "before"
    AFTER = "after"


class Act(StrEnum):
    """What happens to the process: an end without a word, or a sleep from which it may wake."""

    KILL = "kill"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Spot:
    """One side of one step."""

    step: Step
    moment: Moment

    def __str__(self) -> str:
        """Name it as the table does."""
        return f"{self.moment} {self.step}"


@dataclass(slots=True)
class Diary:
    """What the processes of a run did, in one file to which each adds lines; a line survives its writer."""

    path: Path

    def write(self, event: str, **details: Any) -> None:
        """Add one line in one write."""
        line = json.dumps({"event": event, "pid": os.getpid(), **details}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...]:
        """All lines, oldest first."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return tuple(json.loads(line) for line in lines)

    def of(self, event: str) -> Iterator[Mapping[str, Any]]:
        """Give the lines of one kind, oldest first."""
        return (entry for entry in self.entries if entry["event"] == event)

    def wait_for(self, event: str, *, seconds: float = 30) -> None:
        """Wait until somebody has written such a line.

        Raises:
            TimeoutError: when nobody does.
        """
        for _ in range(int(seconds / 0.002)):
            if any(self.of(event)):
                return
            time.sleep(0.002)
        raise TimeoutError(f"nobody wrote {event!r}")


@dataclass(slots=True)
class Trap:
    """Ends this process at one spot, the `nth` time it comes by; a trap without a spot never does."""

    diary: Diary
    spot: Spot | None = None
    act: Act = Act.KILL
    nth: int = 1
    is_armed: bool = False
    seen: Counter[Spot] = field(default_factory=Counter)

    def reach(self, step: Step, moment: Moment) -> None:
        """Come by a spot."""
        spot = Spot(step, moment)
        self.seen[spot] += self.is_armed
        if self.is_armed and spot == self.spot and self.seen[spot] == self.nth:
            self.diary.write("sprung", spot=str(spot))
            self.is_armed = False
            os.kill(os.getpid(), signal.SIGKILL if self.act is Act.KILL else signal.SIGSTOP)

    def is_set_on(self, step: Step, moment: Moment) -> bool:
        """Tell whether this is the spot, for what is costly to prepare."""
        return self.is_armed and self.spot == Spot(step, moment)
