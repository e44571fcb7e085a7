"""This is a channel's file and memory for tests of how changes come into force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from adapters.memory.stores import MemoryStores
from tasks.channels import ChannelSettings
from tests.builders import ACCOUNT
from tests.desks import a_channel

DELAY: Final = timedelta(minutes=10)


def a_file(channel: str, **risk: Any) -> ChannelSettings:
    """Give the channel's file with these limits."""
    document = a_channel().model_dump(mode="json")
    document |= {"channel": channel, "risk": document["risk"] | risk}
    return ChannelSettings.model_validate(document)


def memory_of(channel: str) -> MemoryStores:
    """Give the empty memory of a channel."""
    return MemoryStores(channel=channel, account=ACCOUNT)
