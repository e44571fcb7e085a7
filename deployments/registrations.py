"""This is registering a foreign strategy: it is examined for look-ahead in its own process before it may decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapters.stores import Stores
from adapters.wording import Wording
from backtest.lookahead import LookaheadReport
from deployments.examinations import bundled_bars, examine_settings, patient, sentences
from plugins.settings import PluginSettings
from plugins.strategies import running
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from tasks.registrations import register, unregistered
from trading.errors import InvalidSetting

EXAMINED_SYMBOLS: Final = 2
EXAMINED_BARS: Final = 120
"""Beyond the warm-up; each is asked about a dozen times."""


def register_all(
    stores: Stores, channel: ChannelSettings, wording: Wording, *, at: datetime
) -> Iterator[tuple[StrategySettings, LookaheadReport]]:
    """Examine every foreign strategy that was not yet as it is now, and write down that it is clean.

    Raises:
        InvalidSetting: with every leak in words.
        PluginFault: when it does not run.
    """
    for strategy in unregistered(stores, channel):
        plugin = channel.plugins_by_id[strategy.plugin]
        report = examined(strategy, plugin, channel)
        if not report.is_clean:
            expected = "; ".join(sentences(report, wording))
            raise InvalidSetting(f"strategies.{strategy.id}.kind", strategy.kind, expected)
        register(stores, strategy, plugin, bars=report.bars, at=at)
        yield strategy, report


def examined(
    strategy: StrategySettings, plugin: PluginSettings, channel: ChannelSettings
) -> LookaheadReport:
    """Examine one on a part of the bundled prices.

    Raises:
        PluginFault: when it does not run.
    """
    with running((strategy,), (patient(plugin),)) as (started,):
        count = started.strategy.warm_up + EXAMINED_BARS
        own_first = sorted(
            bundled_bars(), key=lambda symbol: (symbol not in strategy.symbols, symbol)
        )
        bars = {symbol: bundled_bars()[symbol][:count] for symbol in own_first[:EXAMINED_SYMBOLS]}
        return examine_settings(started, channel, bars)
