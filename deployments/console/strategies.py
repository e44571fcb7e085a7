"""This is the channel's strategies by name."""

from __future__ import annotations

from contextlib import closing

from flows.settings import Settings, load_channel, load_settings
from flows.sources import open_stores
from strategies.settings import StrategySettings
from tasks.channels import read_version
from trading.errors import InvalidSetting, MaemaeError


def find(strategy_id: str) -> StrategySettings:
    """Give one strategy of the channel that the settings choose: of its file, else of the version in force.

    Raises:
        InvalidSetting: naming the strategies that there are.
    """
    settings = load_settings()
    channel = load_channel(settings)
    known = {strategy.id: strategy for strategy in channel.strategies}
    if strategy_id not in known:
        known = in_force(settings) | known
    if strategy_id not in known:
        expected = f"a strategy of channel {channel.channel}: {', '.join(known)}"
        raise InvalidSetting("--strategy", strategy_id, expected)
    return known[strategy_id]


def in_force(settings: Settings) -> dict[str, StrategySettings]:
    """Give the strategies that trade now, none while nobody can tell: who stops one needs no more than its name."""
    try:
        with closing(open_stores(settings)) as stores, stores.begin() as work:
            current = work.configs.in_force()
        return {s.id: s for s in read_version(current).strategies} if current else {}
    except MaemaeError:
        return {}
