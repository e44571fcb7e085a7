"""This is asking a risk rule that is not ours: in this process, and believed only where it keeps to the contract.

A rule that cannot be let in, raises or answers something else is a breach: it refuses, as one of ours would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from plugins.loading import load
from plugins.settings import LONGEST_REASON, PluginGroup, PluginSettings
from plugins.sources import approved_sources
from risk.gate import RiskRule
from risk.views import RiskView
from trading.decisions import Breach
from trading.errors import MaemaeError, PluginFault
from trading.orders import OrderIntent


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A foreign rule under a name that only it can have."""

    plugin: str
    made: Any

    @property
    def rule_id(self) -> str:
        """The name in risk_events."""
        return f"PLUGIN_{self.plugin.upper().replace('-', '_')}"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Give its breach.

        Raises:
            PluginFault: for an answer that is neither a breach nor None, or a rule that could not be let in.
        """
        answer = self._ask("check", intent, view)
        if answer is None:
            return None
        if type(answer) is not Breach or not isinstance(answer.message, str):
            raise PluginFault(
                self.plugin, f"a Breach or None expected, not {type(answer).__name__}"
            )
        return Breach(self.rule_id, answer.message[:LONGEST_REASON], self._texts(answer.figures))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give what it looks at.

        Raises:
            PluginFault: for anything but texts by name.
        """
        return self._texts(self._ask("figures", intent, view))

    def _ask(self, method: str, intent: OrderIntent, view: RiskView) -> Any:
        if isinstance(self.made, MaemaeError):
            raise PluginFault(self.plugin, str(self.made))
        try:
            return getattr(self.made, method)(intent, _for_reading(view))
        except SystemExit:
            raise PluginFault(self.plugin, "it tried to end maemae") from None

    def _texts(self, figures: object) -> dict[str, str]:
        if not isinstance(figures, Mapping):
            raise PluginFault(self.plugin, f"texts by name expected, not {type(figures).__name__}")
        if not all(isinstance(part, str) for pair in figures.items() for part in pair):
            raise PluginFault(self.plugin, "a figure is no text")
        return {name: text[:LONGEST_REASON] for name, text in figures.items()}


def _for_reading(view: RiskView) -> RiskView:
    """Give a view into which nobody can write: the other rules and the order's evidence read the same one."""
    ledger = replace(
        view.ledger,
        positions=MappingProxyType(view.ledger.positions),
        holds=MappingProxyType(view.ledger.holds),
    )
    return replace(
        view,
        ledger=ledger,
        quotes=MappingProxyType(view.quotes),
        instruments=MappingProxyType(view.instruments),
    )


def foreign_rules(plugins: Iterable[PluginSettings]) -> tuple[RiskRule, ...]:
    """Give the rules on the whitelist, each imported once in a process."""
    return tuple(
        CheckedRule(plugin.id, _made(plugin.model_dump_json()))
        for plugin in plugins
        if plugin.group is PluginGroup.RULE
    )


@cache
def _made(document: str) -> Any:
    """Make a rule, or give the reason why it cannot be."""
    plugin = PluginSettings.model_validate_json(document)
    try:
        return load(plugin.id, approved_sources(plugin))(**plugin.parameters)
    except MaemaeError as problem:
        return problem
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever foreign code raises
        return PluginFault(plugin.id, f"{type(error).__name__}: {error}"[:LONGEST_REASON])
