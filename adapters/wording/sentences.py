"""This is one language's voice: sentences by key, breaches by rule, reasons by trigger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from string import Formatter
from typing import Any, Final, Literal

from adapters.wording.catalogues import catalogue
from adapters.wording.expectations import in_own_words
from adapters.wording.figures import Figures, number, percent
from trading.decisions import Breach
from trading.errors import PluginFault
from trading.signals import Signal

type Language = Literal["ko", "en"]

_WRITTEN_REASON: Final = re.compile(
    r"(?P<direction>\w+) by (?P<trigger>\w+) at [\d,]+ won: (?P<figures>.*)"
)
_PROTECTIVE: Final = frozenset({"stop", "target"})
_NOTHING: Final = frozenset({"", "none"})
"""How rules write a figure that there is not."""
_AVERAGE: Final = re.compile(r"average_(\d+)")


class Sentences:
    """Everything that a language says. Nothing here raises: an alert with a gap beats an alert lost."""

    def __init__(self, language: Language = "ko") -> None:
        """Load the catalogue of `language`."""
        self.language: Language = language
        self._catalogue = catalogue(language)
        units = {
            key.removeprefix("unit."): text
            for key, text in self._catalogue.items()
            if key.startswith("unit.")
        }
        self._figures = Figures(units, self._named)
        self.short_units = sorted(
            (
                int(key.removeprefix("short."))
                for key in self._catalogue
                if key.startswith("short.")
            ),
            reverse=True,
        )

    def text(self, key: str, **figures: Any) -> str:
        """Say the sentence `key`; what cannot be said so is said as key and figures."""
        try:
            return self._figures.vformat(self._catalogue[key], (), figures)
        except (KeyError, ValueError, ArithmeticError):
            return " ".join([key, *(f"{name}={value}" for name, value in figures.items())])

    def figure(self, value: Any, form: str = "") -> str:
        """Write one figure in a form of `Figures`."""
        return self._figures.format_field(value, form)

    def won(self, amount: int | Decimal, *, is_signed: bool = False) -> str:
        """Write an amount in whole won with its unit."""
        return self._figures.format_field(amount, "signed_won" if is_signed else "won")

    def number(self, value: int | Decimal, *, places: int = 0, is_signed: bool = False) -> str:
        """Write a plain number with separators."""
        return number(value, places=places, is_signed=is_signed)

    def percent(self, fraction: Decimal, *, is_signed: bool = False) -> str:
        """Write a fraction as percent."""
        return percent(fraction, is_signed=is_signed)

    def short(self, amount: int, unit: int, *, places: int) -> str:
        """Write an amount in one of `short_units`, e.g. 5,000만."""
        written = number(Decimal(amount) / unit, places=places)
        return self._catalogue[f"short.{unit}"].replace("#", written)

    def term(self, group: str, value: str) -> str:
        """Name one value of a group, e.g. `side` and BUY; what has no name is called what it is."""
        return self._named(f"{group}.{value}")

    def breach(self, breach: Breach) -> str:
        """Say why a rule refuses: its first sentence whose figures are all there, else its plain words."""
        figures = {
            name: figure for name, figure in breach.figures.items() if figure not in _NOTHING
        }
        prefix = "breach.unjudged" if "error" in figures else f"breach.{breach.rule_id}"
        said = self._first(prefix, figures) or breach.message
        return f"{self.rule(breach.rule_id)}: {said}"

    def passed(self, verdict: Breach) -> str:
        """Say what a rule looked at when it let an order pass; its plain figures where there is no sentence."""
        figures = {
            name: figure for name, figure in verdict.figures.items() if figure not in _NOTHING
        }
        plain = (f"{self.term('figure', name)} {figure}" for name, figure in figures.items())
        return self._first(f"passed.{verdict.rule_id}", figures) or ", ".join(plain)

    def remedy(self, breach: Breach) -> str:
        """Say what would have made a rule let the order pass, else that nobody knows."""
        figures = {
            name: figure for name, figure in breach.figures.items() if figure not in _NOTHING
        }
        said = self._first(f"remedy.{breach.rule_id}", figures) or self.text("remedy.unknown")
        return f"{self.rule(breach.rule_id)}: {said}"

    def own_words(self, words: str) -> str:
        """Say what would be right, as an error has it in English; what has no sentence stays as it is."""
        return in_own_words(words, self.language)

    def fault(self, fault: PluginFault) -> str:
        """Say what a plug-in did wrong, or which of its files or settings is."""
        problem, said = fault.problem, self.own_words(fault.reason)
        if problem is not None:
            said = f"{problem.field}={problem.value!r}: {self.own_words(problem.expected)}"
        return self.text("plugin.fault", plugin=fault.plugin, words=said)

    def rule(self, rule_id: str) -> str:
        """Name a rule of the risk gate."""
        return self._catalogue.get(f"rule.{rule_id}", rule_id)

    def reason(self, cause: Signal | str) -> str:
        """Say why a signal was made; `cause` may also be the sentence that the signal carries as its reason."""
        if isinstance(cause, Signal):
            return self._cause(cause.direction, cause.trigger, cause.indicators) or cause.reason
        written = _WRITTEN_REASON.fullmatch(cause)
        if written is None:
            return cause
        figures = dict(part.rpartition(" ")[::2] for part in written["figures"].split(", "))
        return self._cause(written["direction"].upper(), written["trigger"], figures) or cause

    def trigger(self, reason: str) -> str:
        """Give the protective trigger (stop, target) that a written reason names, "" for any other."""
        written = _WRITTEN_REASON.fullmatch(reason)
        return written["trigger"] if written and written["trigger"] in _PROTECTIVE else ""

    def _cause(self, direction: str, trigger: str, indicators: Mapping[str, str]) -> str:
        figures = {**indicators, **_averages(indicators), **_change(indicators)}
        return self._first(f"signal.{direction}.{trigger}", figures)

    def _first(self, prefix: str, figures: Mapping[str, object]) -> str:
        """Say the first sentence of a group whose figures are all there, "" if there is none."""
        for key, sentence in self._catalogue.items():
            is_variant = key == prefix or key.startswith(f"{prefix}.")
            if is_variant and _fields(sentence) <= figures.keys():
                return self.text(key, **figures)
        return ""

    def _named(self, key: str) -> str:
        return self._catalogue.get(key, key.rpartition(".")[2])


def _fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _averages(indicators: Mapping[str, str]) -> dict[str, object]:
    """Name the shorter average fast and the longer one slow, whatever their lengths."""
    days = sorted(int(found[1]) for name in indicators if (found := _AVERAGE.fullmatch(name)))
    if len(days) < 2:  # noqa: PLR2004 - a cross takes two
        return {}
    fast, slow = days[0], days[-1]
    return {
        "fast_days": fast,
        "slow_days": slow,
        "fast": indicators[f"average_{fast}"],
        "slow": indicators[f"average_{slow}"],
    }


def _change(indicators: Mapping[str, str]) -> dict[str, object]:
    """Work out how far the price stands from the average cost."""
    try:
        return {"change": Decimal(indicators["price"]) / Decimal(indicators["average_cost"]) - 1}
    except (KeyError, ArithmeticError):
        return {}
