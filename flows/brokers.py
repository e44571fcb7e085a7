"""This is opening the broker that the channel trades with: KIS, or a plug-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.clock import Clock
from adapters.kis.access import open_kis
from flows.settings import Settings
from flows.sources import broker_of
from plugins.brokers import House, open_foreign_broker
from tasks.channels import ChannelSettings


@asynccontextmanager
async def open_house(
    settings: Settings, channel: ChannelSettings, clock: Clock
) -> AsyncIterator[House]:
    """Open the broker and close it again.

    Raises:
        InvalidSetting: when keys are missing or wrong, or the plug-in is not as it was approved.
        PluginFault: when the plug-in does not open.
    """
    plugin = channel.broker_plugin
    if plugin is not None:
        async with open_foreign_broker(
            plugin, home=settings.home, clock=clock, is_read_only=settings.is_read_only
        ) as house:
            yield house
        return
    async with open_kis(broker_of(settings, channel), home=settings.home, clock=clock) as kis:
        yield House(kis.broker, kis.market_data, kis.stream, kis.auth, kis.clock)
