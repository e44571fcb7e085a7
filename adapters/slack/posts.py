"""This is the two ways into Slack: an incoming webhook and a bot."""

from __future__ import annotations

from typing import Any, Final

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from adapters.addresses import is_safe_url
from adapters.slack.failures import NotDelivered
from trading.errors import InvalidSetting

PATIENCE_SECONDS: Final = 3
"""A message is never worth more of the time of whoever trades."""


class WebhookPost:
    """Posts over an incoming webhook."""

    def __init__(self, url: SecretStr) -> None:
        """Refuse an address that would carry messages in the clear.

        Raises:
            InvalidSetting: for anything but https, or http on this machine.
        """
        if not is_safe_url(url.get_secret_value()):
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
