"""This is one field of a chart: two scales over a drawing, with levels and days along its edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from adapters.reports.drawings import Drawing, Point
from adapters.reports.scales import Scale, day_ticks, round_ticks
from adapters.wording import Wording

LEFT, RIGHT, BOTTOM = 4, 68, 24
"""Margins: values stand on the right, where Korean charts have them, days below."""

LEVELS, DAYS = 4, 6
"""About how many labels each axis gets."""

A_LONG_TIME = 300
"""More days than that belong to more than one year: then the year is written, and no day."""

HALF_A_DAY = 24.0
"""Half the width of a day's label: nearer to the edge it would be cut off."""

LABEL = 15.0
"""Height of a label with some air."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a chart is drawn, in CSS pixels at full size."""

    width: int
    height: int


WIDE = Size(880, 340)
NARROW = Size(420, 320)


def tone(change: float) -> str:
    """Name the colour of a change as Korea has it: up is red, down is blue."""
    return "up" if change > 0 else "down" if change < 0 else "flat"


@dataclass(frozen=True, slots=True)
class Panel:
    """A field of `drawing`: `across` takes positions 0, 1, 2, ..., `down` takes values."""

    drawing: Drawing
    across: Scale
    down: Scale

    @property
    def right(self) -> float:
        """Where labels of values begin."""
        return self.drawing.width - RIGHT + 8

    def place(self, position: float, value: float) -> Point:
        """Give the point of a value."""
        return self.across.at(position), self.down.at(value)

    def places(self, values: Iterable[float]) -> list[Point]:
        """Give the points of values at positions 0, 1, 2, ..."""
        return [self.place(position, value) for position, value in enumerate(values)]

    def area(self, kind: str, points: Sequence[Point], *, base: float) -> None:
        """Fill between a line and the level `base`."""
        y = self.down.at(base)
        self.drawing.path(
            f"{kind}-area", [*points, (points[-1][0], y), (points[0][0], y)], is_closed=True
        )
        self.drawing.path(f"{kind}-line", points)

    def level(self, value: float, label: str, *, kind: str = "grid") -> None:
        """Draw one level from edge to edge, its label on the right."""
        y = self.down.at(value)
        self.drawing.line(kind, (LEFT, y), (self.drawing.width - RIGHT, y))
        self.drawing.write(f"tick {kind}-label", (self.right, y + 4), label)

    def levels_in_won(self, wording: Wording, *, avoid: float | None = None) -> None:
        """Draw round amounts across the panel, without the label of one that would touch the level `avoid`."""
        ticks = round_ticks(self.down.low, self.down.high, count=LEVELS)
        labels = wording.short_amounts([round(tick) for tick in ticks])
        for tick, label in zip(ticks, labels, strict=True):
            is_near = avoid is not None and abs(self.down.at(tick) - self.down.at(avoid)) < LABEL
            self.level(tick, "" if is_near else label)

    def days(self, days: Sequence[date], *, offset: int = 0) -> None:
        """Write some of `days` below, months where there are many; the first one stands at position `offset`."""
        y = self.drawing.height - 6
        form = "%Y-%m" if len(days) > A_LONG_TIME else "%m-%d"
        for position in day_ticks(days, count=DAYS):
            x = max(self.across.at(position + offset), HALF_A_DAY)
            self.drawing.write("tick", (x, y), f"{days[position]:{form}}", anchor="middle")


def across(count: int, size: Size, *, margin: float) -> Scale:
    """Spread `count` positions over the width, `margin` away from the edges."""
    return Scale(0, max(count - 1, 0), LEFT + margin, size.width - RIGHT - margin)
