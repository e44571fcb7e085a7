"""This is a strategy that is not ours, as far as we know it without running it: its name and its parameters."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from strategies.base import BarColumns, Decisions, Strategy
from trading.errors import PluginFault

FOREIGN: Final = "plugin:"
"""How the kind of a foreign strategy begins; the plug-in's id follows."""


class ForeignStrategy(Strategy):
    """A plug-in that does not run here: whoever wants its decisions starts it first."""

    kind: ClassVar[str] = "plugin"

    plugin: str
    parameters: dict[str, Any]

    @property
    def warm_up(self) -> int:
        """Refuse; only the running plug-in knows."""
        raise self._is_not_running()

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Refuse."""
        del columns
        raise self._is_not_running()

    def _is_not_running(self) -> PluginFault:
        return PluginFault(self.plugin, "it is not running here")
