"""This is running the foreign strategies of a channel: each in its process, each alone with its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic import PrivateAttr

from plugins.processes import StrategyProcess
from plugins.settings import PluginGroup, PluginSettings
from plugins.sources import approved_sources
from strategies.base import BarColumns, Decisions
from strategies.foreign import ForeignStrategy
from strategies.settings import StrategySettings
from trading.errors import InvalidSetting, PluginFault
from trading.instruments import Symbol

_ANY: Final = Symbol("000000")


class RunningStrategy(ForeignStrategy):
    """A foreign strategy that may be asked; every answer is decisions or a `PluginFault`."""

    _process: StrategyProcess | PluginFault = PrivateAttr()
    _settings: PluginSettings | None = PrivateAttr(default=None)
    _copies: list[RunningStrategy] = PrivateAttr(default_factory=list)

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision."""
        return self._asked().warm_up

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar."""
        return self.evaluate_all({_ANY: columns})[_ANY]

    def evaluate_all(self, universe: Mapping[Symbol, BarColumns]) -> Mapping[Symbol, Decisions]:
        """Decide about every symbol in one go: what it costs to cross is paid once."""
        return self._asked().decide(universe)

    def start(self, settings: PluginSettings) -> None:
        """Check the files and start the process."""
        self._settings = settings
        try:
            sources = approved_sources(settings)
            self._process = StrategyProcess(settings, sources, self.parameters)
        except InvalidSetting as problem:
            self.refuse(PluginFault(self.plugin, problem))
        except PluginFault as problem:
            self.refuse(problem)

    def refuse(self, problem: PluginFault) -> None:
        """Tell whoever asks what is wrong."""
        self._process = problem

    def stop(self) -> None:
        """End the process, and those of its copies."""
        for copied in self._copies:
            copied.stop()
        if isinstance(self._process, StrategyProcess):
            self._process.close()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> RunningStrategy:
        """Give one that was asked nothing yet, in a process of its own that ends with this one."""
        del memo
        copied = RunningStrategy(plugin=self.plugin, parameters=self.parameters)
        self._copies.append(copied)
        if self._settings is not None:
            copied.start(self._settings)
        elif isinstance(self._process, PluginFault):
            copied.refuse(self._process)
        return copied

    def _asked(self) -> StrategyProcess:
        if isinstance(self._process, PluginFault):
            raise self._process
        return self._process


@contextmanager
def running(
    strategies: Iterable[StrategySettings],
    plugins: Iterable[PluginSettings],
    *,
    admit: Callable[[StrategySettings], None] = lambda _: None,
) -> Iterator[tuple[StrategySettings, ...]]:
    """Give the strategies with the foreign ones running; whatever is wrong with one, the others are given.

    `admit` raises a `PluginFault` for one that shall not be started.
    """
    approved = {p.id: p for p in plugins if p.group is PluginGroup.STRATEGY}
    given: list[StrategySettings] = []
    started: list[RunningStrategy] = []
    try:
        for settings in strategies:
            if not settings.plugin:
                given.append(settings)
                continue
            strategy = RunningStrategy(plugin=settings.plugin, parameters=settings.parameters)
            try:
                admit(settings)
                strategy.start(approved[settings.plugin])
            except PluginFault as problem:
                strategy.refuse(problem)
            started.append(strategy)
            given.append(settings.run_by(strategy))
        yield tuple(given)
    finally:
        for strategy in started:
            strategy.stop()
