"""This is delivery to Slack: one try, a short patience, and the inbox for what did not arrive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from adapters.inbox import Inbox
from adapters.notifier import Message, Notifier
from adapters.slack.messages import blocks, escaped
from adapters.wording import Wording
from trading.errors import InvalidSetting, MaemaeError

PATIENCE_SECONDS: Final = 3
"""A message is never worth more of the time of whoever trades."""
PAUSE_SECONDS: Final = 60.0
"""After a failure messages go straight to the inbox for so long, so that an outage slows nothing down."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


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


class NotDelivered(MaemaeError):
    """Slack said no; the message is its answer."""


class Post(Protocol):
    """One way into Slack."""

    def deliver(self, text: str, parts: list[dict[str, Any]]) -> None:
        """Post once, or raise."""
        ...


class WebhookPost:
    """Posts over an incoming webhook."""

    def __init__(self, url: SecretStr) -> None:
        """Refuse an address that would carry messages in the clear.

        Raises:
            InvalidSetting: for anything but https, or http on this machine.
        """
        address = urlsplit(url.get_secret_value())
        is_safe = address.scheme == "https" or address.hostname in _LOOPBACK
        if not (is_safe and address.hostname):
            raise InvalidSetting("MAEMAE_SLACK__WEBHOOK_URL", "***", "an https:// address")
        self._client = WebhookClient(
            url.get_secret_value(), timeout=PATIENCE_SECONDS, retry_handlers=[]
        )

    def deliver(self, text: str, parts: list[dict[str, Any]]) -> None:
        """Post once, or raise."""
        answer = self._client.send(text=text, blocks=parts)
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's word for yes
            raise NotDelivered(f"{answer.status_code} {answer.body[:100]}")


class BotPost:
    """Posts as a bot into one channel."""

    def __init__(self, token: SecretStr, channel: str, *, url: str = WebClient.BASE_URL) -> None:
        """Take the token and the channel; `url` is Slack's own unless a test stands in for it."""
        self._channel = channel
        self._client = WebClient(
            token.get_secret_value(), base_url=url, timeout=PATIENCE_SECONDS, retry_handlers=[]
        )

    def deliver(self, text: str, parts: list[dict[str, Any]]) -> None:
        """Post once, or raise."""
        try:
            self._client.chat_postMessage(channel=self._channel, text=text, blocks=parts)
        except SlackApiError as error:
            raise NotDelivered(str(error.response.get("error", "unknown"))) from None


class SlackNotifier:
    """Sends to Slack; what cannot be delivered is logged and kept in the inbox. Never raises.

    Blocks for at most `PATIENCE_SECONDS`: an event loop calls it in a thread.
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
    if access.webhook_url is not None:
        return SlackNotifier(WebhookPost(access.webhook_url), inbox, wording=wording)
    if access.bot_token is not None:
        post = BotPost(access.bot_token, access.channel)
        return SlackNotifier(post, inbox, wording=wording)
    return inbox


def _reason(error: Exception) -> str:
    """Say what happened without the words of an error that could quote the address or the token."""
    return str(error) if isinstance(error, NotDelivered) else type(error).__name__
