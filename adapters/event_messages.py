"""This is what the owner is told about events on their way: waiting, gone again, buried."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.event_logs import DeadLetter
from adapters.event_stores import Backlog
from adapters.notifier import Message, Severity
from adapters.wording import Wording


def events_waiting(backlog: Backlog, words: str, wording: Wording) -> Message:
    """Tell that events pile up, and why."""
    seconds = int(backlog.age.total_seconds())
    text = wording.text("events.waiting.text", count=backlog.count, seconds=seconds)
    title = wording.text("events.waiting.title")
    return Message(Severity.WARNING, title, f"{text}\n{words}".strip())


def events_drained(wording: Wording) -> Message:
    """Tell that none waits any more."""
    text = wording.text("events.drained.text")
    return Message(Severity.INFO, wording.text("events.drained.title"), text)


def events_buried(letters: Sequence[DeadLetter], wording: Wording) -> Message:
    """Tell what became dead letters."""
    text = "\n".join(f"{letter.record.place} {letter.reason}" for letter in letters[:5])
    title = wording.text("events.buried.title", count=len(letters))
    return Message(Severity.WARNING, title, f"{text}\n{wording.text('events.buried.text')}")


def events_stuck(words: str, wording: Wording) -> Message:
    """Tell that events are told and not taken in, and why."""
    title = wording.text("events.stuck.title")
    return Message(Severity.WARNING, title, f"{words}\n{wording.text('events.stuck.text')}")
