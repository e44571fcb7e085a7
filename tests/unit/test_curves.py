"""Our metrics are empyrical's: those in Decimal and those in numpy, on curves of every kind.

`tests/empyrical_figures.json` is what empyrical-reloaded said; `make statistics` asks it anew about many more.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.curves import CurveFigures, curve_figures, curve_returns
from tests.return_series import equity_curves
from trading import performance

TESTS = Path(__file__).parents[1]
RECORD = json.loads((TESTS / "empyrical_figures.json").read_text("utf-8"))
METRICS: dict[str, Callable[[Sequence[Decimal]], Decimal | None]] = {
    "total_return": performance.total_return,
    "cagr": performance.cagr,
    "volatility": performance.volatility,
    "sharpe": performance.sharpe,
    "sortino": performance.sortino,
    "max_drawdown": performance.max_drawdown,
    "calmar": performance.calmar,
}
PEER = os.environ.get("EMPYRICAL", "")
"""The interpreter of an environment that has empyrical."""


def asked(count: int, seed: int) -> dict[str, Any]:
    """Ask empyrical."""
    words = (PEER, "-m", "tests.empyrical_peer", str(count), str(seed))
    done = subprocess.run(words, capture_output=True, check=True, cwd=TESTS.parent, text=True)  # noqa: S603 - our own words
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def is_same(ours: object, theirs: float | None) -> bool:
    """Tell whether both have no meaning, or the same to nine places."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return isclose(float(str(ours)), theirs, rel_tol=1e-9, abs_tol=1e-12)


def figures_of(curve: Sequence[int]) -> CurveFigures:
    """Count with numpy."""
    return curve_figures(curve_returns(np.array(curve)))


def differences(record: dict[str, Any]) -> list[str]:
    """Name every figure of ours that is not empyrical's."""
    found = []
    curves = equity_curves(len(record["curves"]), record["seed"])
    for number, (curve, theirs) in enumerate(zip(curves, record["curves"], strict=True)):
        returns, quick = performance.daily_returns(curve), figures_of(curve)
        for name, metric in METRICS.items():
            exact, fast = metric(returns), getattr(quick, name)
            if not is_same(exact, theirs[name]) or not is_same(fast, theirs[name]):
                found.append(f"curve {number}: {name} {exact} / {fast}, empyrical {theirs[name]}")
    return found


def test_every_figure_of_recorded_curves_is_empyricals() -> None:
    assert len(RECORD["curves"]) >= 30
    assert differences(RECORD) == []


@pytest.mark.skipif(not PEER, reason="EMPYRICAL names no interpreter; `make statistics` makes one")
def test_every_figure_of_many_curves_is_what_empyrical_says_now() -> None:
    seed = int(os.environ.get("SEED", "1"))
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    assert differences(asked(500, seed)) == []


def test_no_day_and_one_day_have_no_ratio() -> None:
    for curve in ((100,), (100, 110)):
        found = figures_of(curve)
        assert (found.sharpe, found.sortino, found.calmar, found.moments) == (None,) * 4
    assert figures_of((100, 110)).total_return == pytest.approx(0.1)
    assert figures_of((100,)).cagr == 0


def test_a_day_that_multiplies_the_account_overflows_nothing() -> None:
    assert figures_of((1, 10_000)).cagr == float("inf")


def test_a_total_loss_has_no_rate_but_minus_one() -> None:
    assert figures_of((100, 50, 0)).cagr == -1
