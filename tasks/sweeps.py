"""This is sweeps and walk-forwards as documents: one row per cell, the same for JSON, table and page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from backtest.cells import Question, Row
from backtest.spaces import Space
from backtest.statistics import probabilistic_sharpe
from backtest.sweeps import HeatMap, RankedRow, Sweep
from backtest.walks import Goal, Step, Walk
from trading.instruments import Instrument

PLACES: Final = 6
"""Of rates and ratios."""
FIGURES: Final = (
    "days",
    "trades",
    "final_equity",
    "total_return",
    "cagr",
    "volatility",
    "max_drawdown",
    "sharpe",
    "sortino",
    "calmar",
)


def question_digest(question: Question, code: str) -> str:
    """Fingerprint all that a trial's row depends on, but for its own parameters and days and the bars."""
    plan, settings = question.plan, question.settings
    parts = {
        "strategy": settings.kind,
        "parameters": settings.strategy.model_dump(),
        "exits": settings.exits.model_dump(),
        "symbols": sorted(settings.symbols),
        "options": asdict(plan.options) if plan.options else None,
        "cash": plan.cash,
        "costs": asdict(plan.costs),
        "listings": {s: asdict(each) for s, each in sorted(plan.listings.items())},
        "standings": {s: _standing(plan.instrument(s)) for s in sorted(settings.symbols)},
        "code": code,
    }
    if plan.options is None:
        parts["limits"] = plan.limits.tightened(settings.risk).model_dump()
        parts["sizing"] = plan.sizing.model_dump()
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _standing(instrument: Instrument) -> dict[str, Any]:
    """Tell all of it but the name, by which nothing is decided: board and kind say what is taxed and which ticks hold."""
    return asdict(replace(instrument, name=""))


def sweep_document(question: Question, space: Space, sweep: Sweep) -> dict[str, Any]:
    """Tell a sweep: `rows` from the best on, `tries` that deflate, `heat_map` of the first two axes."""
    return {
        **_asked(question, space, sweep.goal),
        "tries": sweep.tries,
        "refused": sweep.refused,
        "heat_map": _heat_map(sweep.heat_map),
        "rows": [sweep_row(each) for each in sweep.ranked],
    }


def sweep_row(ranked: RankedRow) -> dict[str, Any]:
    """Give one line of the table: parameters, figures, and how much of them luck explains."""
    proven = {
        "probabilistic_sharpe": ranked.probabilistic,
        "deflated_sharpe": ranked.deflated,
        "neighbours": ranked.neighbours,
    }
    return {**ranked.row.parameters, **_figures(ranked.row), **_rounded(proven)}


def walk_document(
    question: Question, space: Space, walk: Walk, goal: Goal, *, tries: int
) -> dict[str, Any]:
    """Tell a walk-forward: `folds` with training and test apart, `out_of_sample` from the tests alone."""
    figures = asdict(walk.figures)
    figures.pop("moments")
    found = walk.figures.moments
    proven = {"probabilistic_sharpe": found and probabilistic_sharpe(found)}
    return {
        **_asked(question, space, goal),
        "tries": tries,
        "folds": [_fold(step) for step in walk.steps],
        "out_of_sample": _rounded(figures | proven | {"efficiency": walk.efficiency}),
        "equity": [asdict(point) for point in walk.curve(question.plan.cash)],
    }


def _asked(question: Question, space: Space, goal: Goal) -> dict[str, Any]:
    settings, plan = question.settings, question.plan
    return {
        "strategy_id": settings.id,
        "kind": settings.kind,
        "symbols": len(settings.symbols),
        "from": plan.first,
        "to": plan.last,
        "cash": plan.cash,
        "axes": {axis.name: list(axis.values) for axis in space.axes},
        "goal": goal.value,
    }


def _fold(step: Step) -> dict[str, Any]:
    return {
        "train_from": step.fold.training.first,
        "train_to": step.fold.training.last,
        "test_from": step.fold.test.first,
        "test_to": step.fold.test.last,
        "parameters": dict(step.chosen.parameters),
        "trained": _figures(step.chosen),
        "tested": _figures(step.tested),
    }


def _figures(row: Row) -> dict[str, Any]:
    return _rounded({name: getattr(row, name) for name in FIGURES})


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, PLACES) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _heat_map(found: HeatMap | None) -> dict[str, Any] | None:
    if found is None:
        return None
    lines: Sequence[dict[str, Any]] = [
        {"value": value, "cells": list(cells)} for value, cells in found.lines.items()
    ]
    return {"across": found.across, "down": found.down, "columns": found.columns, "lines": lines}
