"""This is what Slack may answer instead of taking a message."""

from __future__ import annotations

from trading.errors import MaemaeError


class NotDelivered(MaemaeError):
    """Slack said no; the message is its answer."""
