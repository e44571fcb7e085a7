"""This is the parameters that a sweep tries: axes of values, and the cells where they cross."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import prod
from random import Random
from typing import Final

from trading.errors import BadInput

type Value = int | Decimal | str | None
type Cell = Mapping[str, Value]

MOST_CELLS: Final = 200_000
"""A grid beyond that is a mistake or wants --random."""
MOST_VALUES: Final = 10_000

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_EXPECTED: Final = "name=5,10,20 or name=first:last:step"


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and the values to try, each once."""

    name: str
    values: tuple[Value, ...]


def read_axis(text: str) -> Axis:
    """Read `fast=5,10,20`, or `fast=5:50:5` with both ends, fractions too, rising; `null` switches a parameter off.

    Raises:
        BadInput: saying which part cannot be meant.
    """
    name, equals, values = text.partition("=")
    if not equals or not name.isidentifier() or not values:
        raise BadInput("axis", text, _EXPECTED)
    read = _range(name, values) if ":" in values else tuple(map(_value, values.split(",")))
    twice = [value for value in read if read.count(value) > 1] if len(read) <= MOST_VALUES else []
    if twice:
        raise BadInput(name, values, "each value once")
    return Axis(name, tuple(sorted(read, key=_size)))


def _size(value: Value) -> Decimal:
    """Order numbers by size, whatever order they were named in, behind what is no number: neighbours are beside each other."""
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal("-Infinity")


def _range(name: str, text: str) -> tuple[Value, ...]:
    parts = text.split(":")
    if len(parts) != len(("first", "last", "step")) or not all(map(_NUMBER.fullmatch, parts)):
        raise BadInput(name, text, "first:last:step in numbers")
    first, last, step = map(Decimal, parts)
    if step <= 0 or last < first:
        raise BadInput(name, text, "a last value not below the first, a step above 0")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise BadInput(name, text, f"at most {MOST_VALUES} values")
    return tuple(_value(f"{first + step * n:f}") for n in range(count))


def _value(text: str) -> Value:
    if not text:
        raise BadInput("axis", text, _EXPECTED)
    if text in {"null", "none"}:
        return None
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if "." not in text else Decimal(text)


@dataclass(frozen=True, slots=True)
class Space:
    """Every combination of the axes' values, numbered from 0 with the last axis running fastest."""

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        """Refuse an axis given twice, or none at all."""
        names = [axis.name for axis in self.axes]
        if not names or len(set(names)) != len(names):
            raise BadInput("axes", ", ".join(names), "at least one, each parameter once")

    def __len__(self) -> int:
        """Count the cells."""
        return prod(len(axis.values) for axis in self.axes)

    def cell(self, number: int) -> dict[str, Value]:
        """Give the cell of a number."""
        found: dict[str, Value] = {}
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.values))
            found[axis.name] = axis.values[place]
        return {axis.name: found[axis.name] for axis in self.axes}

    def cells(self, count: int | None = None, *, seed: int = 0) -> Iterator[dict[str, Value]]:
        """Give the whole grid, or `count` different cells of it that `seed` chooses.

        Raises:
            BadInput: for a grid of more than MOST_CELLS, or a count below one.
        """
        wanted = len(self) if count is None else min(count, len(self))
        if wanted > MOST_CELLS:
            raise BadInput("axes", len(self), f"at most {MOST_CELLS} cells, or --random N of them")
        if wanted < 1:
            raise BadInput("random", count, "at least one cell")
        chosen: Sequence[int] = range(wanted)
        if wanted < len(self):
            chosen = sorted(Random(seed).sample(range(len(self)), wanted))  # noqa: S311 - no secret
        return map(self.cell, chosen)

    def cell_of(self, parameters: Mapping[str, int | str | None]) -> dict[str, Value]:
        """Give the cell that was `written` so."""
        return {
            axis.name: next(v for v in axis.values if written(v) == parameters[axis.name])
            for axis in self.axes
        }

    def neighbours(self, cell: Cell) -> Iterator[dict[str, Value]]:
        """Give the cells one step away on one axis."""
        for axis in self.axes:
            for one, other in pairwise(axis.values):
                if cell[axis.name] == one:
                    yield {**cell, axis.name: other}
                elif cell[axis.name] == other:
                    yield {**cell, axis.name: one}


def cell_key(cell: Cell) -> str:
    """Write a cell so that equal ones are equal, whatever their order: 0.10 is 0.1."""
    return json.dumps({name: written(cell[name]) for name in sorted(cell)}, separators=(",", ":"))


def written(value: Value) -> int | str | None:
    """Give a value as JSON knows it, decimals as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"
    return value
