"""This is a foreign strategy's process from outside: started warm, asked with a deadline, killed at the first fault."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from plugins.confinement import missing
from plugins.frames import BrokenFrame, Frame, packed, receive, send
from plugins.settings import LONGEST_REASON, Isolation, PluginSettings
from plugins.sources import PROJECT, Sources
from plugins.universes import (
    Universe,
    WrongSchema,
    largest_answer,
    read_decisions,
    told_universe,
)
from strategies.base import Decisions
from trading.errors import PluginFault
from trading.instruments import Symbol

START_SECONDS: Final = 30
"""For our own part of the start: an interpreter and its imports, before any foreign code."""
LONGEST_WARM_UP: Final = 2000
PIPE_SIZE: Final = 1 << 20
ENVIRONMENT: Final = {
    "PYTHONPATH": str(PROJECT),
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "LANG": "C.UTF-8",
}
"""All that a foreign strategy sees of ours: no key, no address."""


class StrategyProcess:
    """One foreign strategy with its parameters."""

    def __init__(
        self, settings: PluginSettings, sources: Sources, parameters: Mapping[str, Any]
    ) -> None:
        """Start the process, and do not wait for it: it gets warm while others work.

        Raises:
            PluginFault: when this machine cannot hold it as the settings ask.
        """
        self._settings = settings
        lacking = missing() if settings.limits.isolation is Isolation.FULL else ()
        if lacking:
            found, setting = " and no ".join(lacking), f"plugins.{settings.id}.limits.isolation"
            reason = f"this machine has no {found}; {setting}: limits lets it run without"
            raise PluginFault(settings.id, reason)
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", "plugins.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        self._questions, self._answers = _pipes(self._process)
        self._order = packed(
            {
                "plugin": settings.id,
                "module": sources.module,
                "attribute": sources.attribute,
                "files": {n: b64encode(c).decode() for n, c in sources.files.items()},
                "parameters": parameters,
                "limits": settings.limits.model_dump(mode="json"),
            }
        )
        self._warm_up = 0
        self._fault: PluginFault | None = None

    @property
    def warm_up(self) -> int:
        """Bars that it needs before its first decision.

        Raises:
            PluginFault: when its code does not load, or it says something else than a number.
        """
        if not self._warm_up:
            self._warm_up = self._begin()
        return self._warm_up

    def decide(self, universe: Universe) -> dict[Symbol, Decisions]:
        """Let it decide about every symbol at every bar.

        Raises:
            PluginFault: when it failed, took too long or gave something else than decisions; it is over then.
        """
        warm_up = self.warm_up
        if not universe:
            return {}
        frame = packed(*told_universe(universe))
        head, block = self._ask(frame, largest=largest_answer(universe))
        try:
            return read_decisions(universe, head, block, warm_up=warm_up)
        except WrongSchema as problem:
            raise self._end(str(problem)) from None

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _begin(self) -> int:
        self._ask(self._order, largest=0, seconds=START_SECONDS)
        head, _ = self._ask((), largest=0)
        warm_up = head.get("warm_up")
        if type(warm_up) is not int or not 1 <= warm_up <= LONGEST_WARM_UP:
            raise self._end(f"warm_up is {warm_up}, not a whole number from 1 to {LONGEST_WARM_UP}")
        return warm_up

    def _ask(
        self, question: Iterable[bytes | memoryview], *, largest: int, seconds: int | None = None
    ) -> Frame:
        if self._fault is not None:
            raise self._fault
        deadline = monotonic() + (seconds or self._settings.limits.timeout_seconds)
        try:
            send(self._questions, question, deadline=deadline)
            head, block = receive(self._answers, deadline=deadline, largest=largest)
        except BrokenFrame as problem:
            raise self._end(str(problem)) from None
        if "error" in head:
            raise self._end(str(head["error"]))
        return head, block

    def _end(self, reason: str) -> PluginFault:
        self.close()
        told = "".join(c if c.isprintable() else " " for c in reason[:LONGEST_REASON])
        self._fault = PluginFault(self._settings.id, told)
        return self._fault


def _pipes(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without pipes")
    for pipe in (process.stdin, process.stdout):
        os.set_blocking(pipe.fileno(), False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(
                OSError
            ):  # more than the machine grants an ordinary user; it is slower then
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return process.stdin.fileno(), process.stdout.fileno()
