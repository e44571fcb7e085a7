"""This is Slack: messages as blocks, over a webhook or a bot token."""

from adapters.slack.notifier import SlackAccess, SlackNotifier, open_notifier

__all__ = ["SlackAccess", "SlackNotifier", "open_notifier"]
