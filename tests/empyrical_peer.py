"""This is empyrical asked for its figures, in an environment of its own: JSON, one object per curve.

`make statistics` runs it; `tests/empyrical_figures.json` is what it said about the first curves.
"""

from __future__ import annotations

import json
import sys
import warnings
from math import isfinite

import empyrical  # type: ignore[import-not-found]  # not in our environment: 130 MB of scipy for one test
import numpy as np

from tests.return_series import SEED, equity_curves

FIGURES = {
    "total_return": empyrical.cum_returns_final,
    "cagr": empyrical.cagr,
    "volatility": empyrical.annual_volatility,
    "sharpe": empyrical.sharpe_ratio,
    "sortino": empyrical.sortino_ratio,
    "max_drawdown": empyrical.max_drawdown,
    "calmar": empyrical.calmar_ratio,
}


def main(count: int, seed: int) -> None:
    """Print what empyrical makes of the curves; null where it gives no number."""
    warnings.simplefilter("ignore")
    rows = []
    for curve in equity_curves(count, seed):
        values = np.array(curve, dtype=np.float64)
        returns = values[1:] / values[:-1] - 1
        figures = {name: float(ask(returns)) for name, ask in FIGURES.items()}
        rows.append({name: value if isfinite(value) else None for name, value in figures.items()})
    json.dump({"empyrical": empyrical.__version__, "seed": seed, "curves": rows}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED)
