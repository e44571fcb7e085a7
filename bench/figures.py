"""This is what a measurement is: samples by name, aims that are met or not, and both as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Samples:
    """Times of the same thing, in seconds."""

    name: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.seconds)

    def percentile(self, percent: float) -> float:
        """Give the time that `percent` of the samples do not pass (nearest rank)."""
        rank = math.ceil(len(self.seconds) * percent / 100)
        return sorted(self.seconds)[max(1, rank) - 1]

    def figures(self) -> dict[str, Any]:
        """Give the figures in milliseconds."""
        return {
            "name": self.name,
            "samples": len(self.seconds),
            "median_ms": _milliseconds(self.median),
            "p99_ms": _milliseconds(self.percentile(99)),
            "worst_ms": _milliseconds(max(self.seconds)),
        }


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should stay below, both in seconds, told as milliseconds, or in another `unit`."""

    name: str
    measured: float
    below: float
    unit: str = "ms"

    @property
    def is_met(self) -> bool:
        """Whether it does."""
        return self.measured < self.below

    def figures(self) -> dict[str, Any]:
        """Give the figures for programs."""
        unit = self.unit.lower()
        return {
            "name": self.name,
            f"measured_{unit}": self._told(self.measured),
            f"below_{unit}": self._told(self.below),
            "is_met": self.is_met,
        }

    def sentence(self) -> str:
        """Say whether it is met, and with which figures."""
        verdict = "met" if self.is_met else "NOT met"
        measured, below = self._told(self.measured), self._told(self.below)
        return f"{verdict}: {measured:,} < {below:,} {self.unit}"

    def _told(self, figure: float) -> float:
        return _milliseconds(figure) if self.unit == "ms" else round(figure, 2)


@dataclass(frozen=True, slots=True)
class Section:
    """One question, its measurements, what was aimed at, and what has to be said about it."""

    title: str
    samples: Sequence[Samples]
    aims: Sequence[Aim]
    notes: Sequence[str] = field(default_factory=tuple)

    def figures(self) -> dict[str, Any]:
        """Give everything for programs."""
        return {
            "title": self.title,
            "samples": [each.figures() for each in self.samples],
            "aims": [each.figures() for each in self.aims],
            "notes": list(self.notes),
        }

    def table(self) -> Table:
        """Give everything for people."""
        told = Table(title=self.title, title_justify="left", caption="\n".join(self.notes))
        told.caption_justify = "left"
        for heading in ("", "samples", "median", "p99", "worst", "aim"):
            told.add_column(heading, justify="right" if heading else "left", no_wrap=True)
        for each in self.samples:
            figures = each.figures()
            words = [f"{figures[name]:,} ms" for name in ("median_ms", "p99_ms", "worst_ms")]
            told.add_row(each.name, str(figures["samples"]), *words, "")
        for aim in self.aims:
            told.add_row(aim.name, "", "", "", "", aim.sentence(), style="bold")
        return told


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
