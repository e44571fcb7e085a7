"""This is how a message looks in Slack: Block Kit, within Slack's limits."""

from __future__ import annotations

from itertools import batched
from typing import Any, Final

from adapters.notifier import Message, Severity
from adapters.wording import Wording

HEADER_LIMIT: Final = 150
TEXT_LIMIT: Final = 3000
FIELDS_LIMIT: Final = 10

_SIGN: Final = {
    Severity.INFO: "",
    Severity.WARNING: ":warning: ",
    Severity.CRITICAL: ":rotating_light: ",
}


def blocks(message: Message, wording: Wording) -> list[dict[str, Any]]:
    """Lay out a message: header, text, figures in two columns, link."""
    title = _cut(_SIGN[message.severity] + message.title, HEADER_LIMIT)
    parts: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title}}
    ]
    if message.text:
        parts.append({"type": "section", "text": _markdown(escaped(message.text))})
    for group in batched(message.fields.items(), FIELDS_LIMIT):
        fields = [_markdown(f"*{escaped(name)}*\n{escaped(value)}") for name, value in group]
        parts.append({"type": "section", "fields": fields})
    if message.link:
        link = f"<{message.link}|{escaped(wording.text('message.open'))}>"
        parts.append({"type": "section", "text": _markdown(link)})
    return parts


def escaped(text: str) -> str:
    """Write the three characters that Slack reads as control characters in its own way."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markdown(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": _cut(text or "-", TEXT_LIMIT)}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
