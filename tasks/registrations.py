"""This is which foreign strategies were examined before they decide anything: a row of the audit log for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from adapters.stores import AuditEntry, Stores
from plugins.settings import PluginSettings
from plugins.strategies import running
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings
from tasks.desk import Desk
from trading.errors import PluginFault

REGISTER: Final = "plugin register"


def fingerprint(strategy: StrategySettings, plugin: PluginSettings) -> str:
    """Name what was examined: the files, what is taken from them, and its parameters; 16 hex digits."""
    parts = {"files": plugin.files, "source": plugin.source, "parameters": strategy.parameters}
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unregistered(stores: Stores, channel: ChannelSettings) -> tuple[StrategySettings, ...]:
    """Give the foreign strategies that were not examined as they are now."""
    plugins = channel.plugins_by_id
    with stores.begin() as work:
        return tuple(
            strategy
            for strategy in channel.strategies
            if strategy.plugin
            and not work.audit.latest(REGISTER, actor=_actor(strategy, plugins[strategy.plugin]))
        )


def register(
    stores: Stores, strategy: StrategySettings, plugin: PluginSettings, *, bars: int, at: datetime
) -> None:
    """Write down that a strategy was examined on so many bars, and that nothing was found."""
    detail = {"strategy": strategy.id, "plugin": plugin.id, "files": plugin.files, "bars": bars}
    with stores.begin() as work:
        work.audit.add(AuditEntry(_actor(strategy, plugin), REGISTER, detail), at=at)


@contextmanager
def plugged(desk: Desk) -> Iterator[Desk]:
    """Give the desk with its foreign strategies running; one that nobody examined refuses to decide."""
    unknown = {strategy.id for strategy in unregistered(desk.stores, desk.channel)}

    def admit(strategy: StrategySettings) -> None:
        if strategy.id in unknown:
            reason = (
                f"strategy {strategy.id} is not registered as it is now: maemae plugins register"
            )
            raise PluginFault(strategy.plugin, reason)

    with running(desk.channel.strategies, desk.channel.plugins, admit=admit) as strategies:
        channel = desk.channel.model_copy(update={"strategies": strategies})
        yield replace(desk, channel=channel)


def _actor(strategy: StrategySettings, plugin: PluginSettings) -> str:
    return f"plugin:{plugin.id}:{fingerprint(strategy, plugin)}"
