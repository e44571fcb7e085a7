"""This is the owner's ear in memory: every message in order."""

from __future__ import annotations

from adapters.notifier import Message, Severity


class MemoryNotifier:
    """Keeps what was sent, for tests and dry runs."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> None:
        """Keep one message."""
        self.messages.append(message)

    def of(self, severity: Severity) -> tuple[Message, ...]:
        """Give the messages of one severity, oldest first."""
        return tuple(message for message in self.messages if message.severity is severity)
