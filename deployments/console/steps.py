"""This is an act of several steps, of which each is tried whatever became of the others, and told at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deployments.console.faults import sentence_of
from deployments.console.speech import say
from deployments.console.tables import paper
from trading.errors import MaemaeError


class NotDone(MaemaeError):
    """A step ended without having done all that it was for; the message says what is left."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was tried, and how it went in words."""

    name: str
    is_done: bool
    words: str


def attempt(name: str, act: Callable[[], str]) -> Step:
    """Do one step; its failure is told, not raised."""
    try:
        return _told(Step(name, is_done=True, words=act()))
    except Exception as error:  # noqa: BLE001 - the next step must be tried whatever happened
        return fail(name, error)


async def attempt_async(name: str, act: Callable[[], Awaitable[str]]) -> Step:
    """Do one step that waits for others; its failure is told, not raised."""
    try:
        return _told(Step(name, is_done=True, words=await act()))
    except Exception as error:  # noqa: BLE001 - the next step must be tried whatever happened
        return fail(name, error)


def fail(name: str, error: Exception) -> Step:
    """Tell that a step could not be done."""
    return _told(Step(name, is_done=False, words=sentence_of(error)))


def _told(step: Step) -> Step:
    mark = "✓" if step.is_done else "✗"
    line = f"{mark} {say(f'step.{step.name}')}: {step.words}"
    paper(is_error=not step.is_done).print(line)
    return step
