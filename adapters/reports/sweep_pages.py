"""This is sweeps and walk-forwards as web pages: the table, the map of where results are good, and what luck explains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from adapters.reports.equity_charts import equity_chart
from adapters.reports.files import put_file
from adapters.reports.html import environment, markup, style_sheets
from adapters.reports.panels import NARROW, WIDE
from adapters.wording import Wording
from trading.equity import EquityPoint

type Document = Mapping[str, Any]

MOST_ROWS: Final = 200
"""More stand in the table beside the page."""
FIGURES: Final = (
    ("total_return", "signed_percent"),
    ("cagr", "signed_percent"),
    ("max_drawdown", "percent"),
    ("sharpe", ""),
    ("trades", "count"),
)
PROVEN: Final = (
    ("probabilistic_sharpe", "percent"),
    ("deflated_sharpe", "percent"),
    ("neighbours", ""),
)
CERTAINTY: Final = 0.95
LONELY: Final = 0.5
"""A best cell whose neighbours have less than this part of its goal stands alone."""


def write_sweep(document: Document, path: Path, wording: Wording) -> None:
    """Write the page of a `tasks.sweeps.sweep_document`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    put_file(path, render_sweep(document, wording))


def write_walk(document: Document, path: Path, wording: Wording) -> None:
    """Write the page of a `tasks.sweeps.walk_document`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    put_file(path, render_walk(document, wording))


def render_sweep(document: Document, wording: Wording) -> str:
    """Give the page of a sweep."""
    return (
        environment()
        .get_template("sweep.html.j2")
        .render(
            d=document,
            w=wording,
            figures=(*FIGURES, *PROVEN),
            most=MOST_ROWS,
            doubts=_doubts(document, wording),
            strongest=_strongest(document),
            **style_sheets(),
        )
    )


def render_walk(document: Document, wording: Wording) -> str:
    """Give the page of a walk-forward."""
    curve = [EquityPoint(**point) for point in document["equity"]]
    charts = [
        markup(equity_chart(curve, wording, size, most=len(curve)).render()) if curve else ""
        for size in (WIDE, NARROW)
    ]
    template = environment().get_template("walk.html.j2")
    return template.render(d=document, w=wording, figures=FIGURES, charts=charts, **style_sheets())


def _doubts(document: Document, wording: Wording) -> list[str]:
    """Say what stands against the best cell."""
    if not document["rows"]:
        return []
    best, goal = document["rows"][0], document["rows"][0][document["goal"]]
    found = []
    if best["deflated_sharpe"] is not None and best["deflated_sharpe"] < CERTAINTY:
        figures = {"tries": document["tries"], "probability": best["deflated_sharpe"]}
        found.append(wording.text("sweep.luck", **figures, certainty=CERTAINTY))
    near = best["neighbours"]
    if near is not None and goal is not None and near < goal * LONELY:
        found.append(wording.text("sweep.lonely", best=round(goal, 2), near=round(near, 2)))
    return found


def _strongest(document: Document) -> float:
    """Give the value of the map that gets the full colour."""
    lines = document["heat_map"]["lines"] if document["heat_map"] else ()
    values = [abs(value) for line in lines for value in line["cells"] if value is not None]
    return max(values, default=0.0) or 1.0
