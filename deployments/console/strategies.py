"""This is the channel's strategies by name."""

from __future__ import annotations

from flows.settings import load_channel, load_settings
from strategies.settings import StrategySettings
from trading.errors import InvalidSetting


def find(strategy_id: str) -> StrategySettings:
    """Give one strategy of the channel that the settings choose.

    Raises:
        InvalidSetting: naming the strategies that there are.
    """
    channel = load_channel(load_settings())
    known = {settings.id: settings for settings in channel.strategies}
    if strategy_id not in known:
        expected = f"a strategy of channel {channel.channel}: {', '.join(known)}"
        raise InvalidSetting("--strategy", strategy_id, expected)
    return known[strategy_id]
