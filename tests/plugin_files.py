"""This is plug-ins as files on disk, approved as they are written, and universes to try them on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Final

import numpy as np

from plugins.settings import PluginGroup, PluginSettings
from plugins.sources import digests_of, find_origin, read_sources
from plugins.strategies import running
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from trading.instruments import Symbol

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "docs" / "examples"
WAITS_SECONDS: Final = 2
HEAD: Final = '''\
"""A plug-in of a test."""

import os
import socket
import subprocess
import time

import numpy as np

from strategies.base import BarColumns, Decisions, Strategy

INTERFACE = 1


class Tried(Strategy):
    kind = "tried"
    length: int = 3

    @property
    def warm_up(self):
        return self.length

    def quiet(self, columns):
        none = np.zeros(len(columns), dtype=np.bool_)
        return Decisions(none, none.copy(), {})

'''


def a_strategy_file(folder: Path, evaluate: str) -> Path:
    """Write a strategy whose `evaluate` is the given text; it has `columns` and `self.quiet`."""
    path = folder / "tried.py"
    body = indent("def evaluate(self, columns):\n" + indent(dedent(evaluate), "    "), "    ")
    path.write_text(HEAD + body, encoding="utf-8")
    return path


def approved(
    source: str, group: PluginGroup = PluginGroup.STRATEGY, **settings: Any
) -> PluginSettings:
    """Put a plug-in on the whitelist as it is now."""
    files = digests_of(read_sources(find_origin("tried", group, source)))
    document = {"id": "tried", "group": group, "source": source, "files": files} | settings
    return PluginSettings.model_validate(document)


@contextmanager
def runs(
    plugin: PluginSettings, parameters: dict[str, Any] | None = None
) -> Iterator[StrategySettings]:
    """Start a foreign strategy."""
    document = {"id": "tried", "kind": "plugin:tried", "symbols": ["005930"]}
    settings = StrategySettings.model_validate({**document, "parameters": parameters or {}})
    with running((settings,), (plugin,)) as (started,):
        yield started


@contextmanager
def runs_file(folder: Path, evaluate: str, **limits: Any) -> Iterator[StrategySettings]:
    """Start a strategy with the given `evaluate`, impatiently."""
    path = a_strategy_file(folder, evaluate)
    limits = {"timeout_seconds": WAITS_SECONDS, **limits}
    with runs(approved(f"{path}:Tried", limits=limits)) as settings:
        yield settings


def a_universe(count: int = 3, days: int = 60, seed: int = 1) -> dict[Symbol, BarColumns]:
    """Give random walks, the same each time."""
    chance = np.random.default_rng(seed)
    return {Symbol(f"{n:06d}"): _walk(chance, days) for n in range(1, count + 1)}


def _walk(chance: np.random.Generator, days: int) -> BarColumns:
    close = (50_000 * np.exp(np.cumsum(chance.normal(0, 0.02, days)))).astype(np.int64) + 10
    ordinals = np.arange(736_000, 736_000 + days)
    volume = chance.integers(1, 1_000_000, days)
    return BarColumns(ordinals, close, close + 5, close - 5, close, volume)
