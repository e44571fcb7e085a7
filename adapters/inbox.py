"""This is the owner's inbox on disk: every message as a line of JSON, and the same to read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import structlog

from adapters.clock import Clock, SystemClock
from adapters.notifier import Message
from adapters.wording import Wording


class Inbox:
    """Appends to `<home>/inbox.jsonl` and `<home>/inbox.md`; nothing in them is ever overwritten."""

    def __init__(self, home: Path, *, wording: Wording, clock: Clock | None = None) -> None:
        """Take the folder; it is made with the first message."""
        self.lines = home / "inbox.jsonl"
        self.page = home / "inbox.md"
        self._wording = wording
        self._clock = clock or SystemClock()
        self._log = structlog.get_logger("inbox")

    def send(self, message: Message) -> None:
        """Keep one message; a full or unwritable disk is logged and never raises."""
        at = self._clock.now()
        line = json.dumps({"at": at.isoformat(), **asdict(message)}, ensure_ascii=False)
        heading = f"## {self._wording.figure(at)} {self._severity(message)} {message.title}"
        try:
            _append(self.lines, f"{line}\n")
            _append(self.page, "\n".join([heading, "", *self._body(message)]) + "\n")
        except OSError as error:
            self._log.exception("message not kept", title=message.title, error=str(error))

    def _severity(self, message: Message) -> str:
        return f"[{self._wording.term('severity', message.severity)}]"

    def _body(self, message: Message) -> Iterator[str]:
        if message.text:
            yield from (message.text.replace("\n", "  \n"), "")
        if message.fields:
            yield from (*(f"- {name}: {value}" for name, value in message.fields.items()), "")
        if message.link:
            yield from (f"[{self._wording.text('message.open')}]({message.link})", "")


def _append(path: Path, text: str) -> None:
    """Add `text` in one write, so that two processes never mix their messages; for the owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
