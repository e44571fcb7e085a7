"""This is how long the parts of a start take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a start; both times in seconds since the beginning."""

    name: str
    began: float
    ended: float


@dataclass(slots=True)
class Timings:
    """The phases as they end; `tell` hears of each as it begins."""

    tell: Callable[[str], None] = lambda _: None
    phases: list[Phase] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time one phase."""
        self.tell(name)
        began = self.elapsed
        yield
        self.phases.append(Phase(name, began, self.elapsed))

    def note(self, name: str) -> None:
        """Note a moment: how long it took from the beginning."""
        self.phases.append(Phase(name, 0.0, self.elapsed))
