"""This is what the console says about a stack: it starts, it runs, it stops, it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deployments.console.faults import WRONG_INPUT
from deployments.console.speech import wording
from deployments.console.tables import paper
from deployments.processes import StartFailed
from deployments.stack import Stack
from deployments.state import AlreadyRunning
from deployments.timings import Timings


def announce(key: str, **figures: object) -> None:
    """Print the sentence `key`."""
    paper().print(wording().text(key, **figures), soft_wrap=True)


def or_refusal(act: Callable[[], int]) -> int:
    """Do it; what cannot be started is one sentence and exit code 2."""
    try:
        return act()
    except AlreadyRunning as error:
        return _refuse("stack.already", place=error)
    except StartFailed as error:
        return _refuse("stack.failed", words=error)


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Run the stack for the block and tell how long its end took."""
    with stack:
        try:
            yield stack
        finally:
            announce("stack.stopping")
            stopping = Timings()
    announce("stack.stopped", seconds=round(stopping.elapsed, 1))


def print_timings(timings: Timings) -> None:
    """Print when each phase ended and how long it took."""
    announce("stack.timings")
    for phase in timings.phases:
        took = phase.ended - phase.began
        paper().print(f"  {phase.name:<14} {phase.ended:6.1f} s  {took:6.1f} s")


def _refuse(key: str, **figures: object) -> int:
    paper(is_error=True).print(wording().text(key, **figures), soft_wrap=True)
    return WRONG_INPUT
