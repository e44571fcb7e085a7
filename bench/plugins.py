"""This is what it costs to let a strategy that is not ours decide: the same one here, and in its process."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np

import strategies.moving_average
from bench.figures import Aim, Samples, Section
from bench.places import Place
from plugins.settings import PluginGroup, PluginSettings
from plugins.sources import digests_of, find_origin, read_sources
from plugins.strategies import running
from strategies.base import BarColumns
from strategies.moving_average import MovingAverageCross
from strategies.settings import StrategySettings
from trading.instruments import Symbol

SYMBOLS: Final = 200
DAYS: Final = 261
"""The warm-up of 50/200 and the halted days that an evaluation reads besides."""
TIMES: Final = 2
"""As often as the call here may the call there cost."""
NOTES: Final = (
    f"50/200 averages on {DAYS} bars of each symbol, all symbols in one question; wall time, in turns.",
)


async def measure_plugins(place: Place, samples: int) -> Section:
    """Ask the same strategy in this process and, warm, in one of its own."""
    here, there = [], []
    universe = _universe()
    ours = MovingAverageCross()
    with running((_settings(),), (_ourselves_as_a_plugin(place.home),)) as (foreign,):
        foreign.strategy.evaluate_all(
            universe
        )  # warm, as it is when the day's first question comes
        for _ in range(samples):
            began = perf_counter()
            ours.evaluate_all(universe)
            asked = perf_counter()
            foreign.strategy.evaluate_all(universe)
            here.append(asked - began)
            there.append(perf_counter() - asked)
    return Section(
        title=f"Plug-ins: one evaluation over {SYMBOLS} symbols",
        samples=(Samples("in process", here), Samples("in a process of its own", there)),
        aims=(Aim(f"median there, at most {TIMES} x here", median(there), TIMES * median(here)),),
        notes=NOTES,
    )


def _settings() -> StrategySettings:
    document = {"id": "foreign", "kind": "plugin:foreign", "symbols": ["005930"]}
    return StrategySettings.model_validate(document)


def _ourselves_as_a_plugin(folder: Path) -> PluginSettings:
    """Take our own strategy for a foreign one, so that both do the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "crossing.py"
    text = Path(strategies.moving_average.__file__).read_text(encoding="utf-8")
    path.write_text(f"{text}\nINTERFACE = 1\n", encoding="utf-8")
    source = f"{path}:MovingAverageCross"
    files = digests_of(read_sources(find_origin("foreign", PluginGroup.STRATEGY, source)))
    document = {"id": "foreign", "group": "strategy", "source": source, "files": files}
    return PluginSettings.model_validate(document)


def _universe() -> dict[Symbol, BarColumns]:
    chance = np.random.default_rng(1)
    return {Symbol(f"{n:06d}"): _walk(chance) for n in range(SYMBOLS)}


def _walk(chance: np.random.Generator) -> BarColumns:
    close = (50_000 * np.exp(np.cumsum(chance.normal(0, 0.02, DAYS)))).astype(np.int64) + 10
    days = np.arange(736_000, 736_000 + DAYS)
    return BarColumns(days, close, close + 5, close - 5, close, chance.integers(1, 1_000_000, DAYS))
