"""This is SVG by hand: text stays text, colours come from the page, nothing is loaded from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

type Point = tuple[float, float]

AIR = 16
"""Margin of a picture that stands alone."""


@dataclass(slots=True)
class Drawing:
    """A picture of `width` x `height` units that scales with its place; `title` is what a screen reader says."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def put(self, tag: str, kind: str, *, text: str = "", tip: str = "", **at: float | str) -> None:
        """Add one element of CSS class `kind`; `tip` shows when the pointer rests on it."""
        attributes = "".join(f' {name.replace("_", "-")}="{_written(v)}"' for name, v in at.items())
        inside = (f"<title>{escape(tip)}</title>" if tip else "") + escape(text)
        self.parts.append(f'<{tag} class="{kind}"{attributes}>{inside}</{tag}>')

    def line(self, kind: str, start: Point, end: Point) -> None:
        """Draw a straight line."""
        self.put("line", kind, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def path(
        self, kind: str, points: Iterable[Point], *, is_closed: bool = False, tip: str = ""
    ) -> None:
        """Draw a line through `points`, back to the first if it is closed."""
        joined = " L".join(f"{_written(x)} {_written(y)}" for x, y in points)
        self.put("path", kind, tip=tip, d=f"M{joined}{' Z' if is_closed else ''}")

    def write(self, kind: str, at: Point, text: str, *, anchor: str = "start") -> None:
        """Write `text` with its baseline at a point; `anchor` is start, middle or end."""
        self.put("text", kind, text=text, x=at[0], y=at[1], text_anchor=anchor)

    def render(self, *, style: str = "") -> str:
        """Give the SVG element; `style` makes it stand alone, outside of our page, with air around it."""
        air = AIR if style else 0
        width, height = self.width + 2 * air, self.height + 2 * air
        box = f"{-air} {-air} {width} {height}"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"'
        size = f' width="{width}" height="{height}"' if style else ""
        sheet = f"<style>{style}</style>" if style else ""
        label = f'role="img" aria-label="{escape(self.title)}" class="chart"'
        return f"{head}{size} {label}>{sheet}{''.join(self.parts)}</svg>"


def _written(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
