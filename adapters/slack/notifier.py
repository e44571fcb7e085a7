"""This is delivery to Slack: one try, a short patience, and the inbox for what did not arrive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from pydantic import SecretStr

from adapters.inbox import Inbox
from adapters.notifier import Message, Notifier
from adapters.slack.failures import NotDelivered
from adapters.slack.messages import blocks, escaped
from adapters.wording import Wording

PAUSE_SECONDS: Final = 60.0
"""After a failure messages go straight to the inbox for so long, so that an outage slows nothing down."""


class SlackAccess(Protocol):
    """Where messages go: an incoming webhook, or a bot token and its channel."""

    @property
    def webhook_url(self) -> SecretStr | None:
        """The webhook's address, which is a secret."""
        ...

    @property
    def bot_token(self) -> SecretStr | None:
        """The bot's token (xoxb-…)."""
        ...

    @property
    def channel(self) -> str:
        """The channel for the bot."""
        ...


class Post(Protocol):
    """One way into Slack."""

    def deliver(self, text: str, parts: list[dict[str, Any]]) -> None:
        """Post once, or raise."""
        ...


class SlackNotifier:
    """Sends to Slack; what cannot be delivered is logged and kept in the inbox. Never raises.

    Blocks for as long as its way into Slack has patience: an event loop calls it in a thread.
    """

    def __init__(self, post: Post, inbox: Inbox, *, wording: Wording) -> None:
        """Take the way into Slack and the place for what does not get there."""
        self._post = post
        self._inbox = inbox
        self._wording = wording
        self._rests_until = 0.0
        self._log = structlog.get_logger("slack")

    def send(self, message: Message) -> None:
        """Deliver one message, or keep it."""
        if time.monotonic() < self._rests_until:
            self._inbox.send(message)
            return
        try:
            self._post.deliver(escaped(message.title), blocks(message, self._wording))
        except Exception as error:  # noqa: BLE001 - whatever Slack does, trading goes on
            self._rests_until = time.monotonic() + PAUSE_SECONDS
            self._log.warning("slack not reached", title=message.title, error=_reason(error))
            self._inbox.send(message)


def open_notifier(access: SlackAccess, *, home: Path, wording: Wording) -> Notifier:
    """Give the owner's channel: Slack by webhook or bot token, without either the inbox in `home`.

    Raises:
        InvalidSetting: for a webhook that is not https.
    """
    inbox = Inbox(home, wording=wording)
    post = _way(access)
    return inbox if post is None else SlackNotifier(post, inbox, wording=wording)


def _way(access: SlackAccess) -> Post | None:
    if access.webhook_url is None and access.bot_token is None:
        return None
    from adapters.slack.posts import BotPost, WebhookPost  # noqa: PLC0415 - loaded only by those who use Slack

    if access.webhook_url is not None:
        return WebhookPost(access.webhook_url)
    return BotPost(access.bot_token, access.channel) if access.bot_token is not None else None


def _reason(error: Exception) -> str:
    """Say what happened without the words of an error that could quote the address or the token."""
    return str(error) if isinstance(error, NotDelivered) else type(error).__name__
