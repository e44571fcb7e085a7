"""This is the figures of an equity curve as numpy counts them: for thousands of curves, where Decimal is too slow.

The formulas are those of `trading.performance`, and a test holds both against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from backtest.statistics import Moments, moments
from trading.performance import DAYS_PER_YEAR

type Curve = npt.NDArray[np.int64]
type Returns = npt.NDArray[np.float64]

_DAYS: Final = int(DAYS_PER_YEAR)
_ROOT: Final = float(DAYS_PER_YEAR.sqrt())


@dataclass(frozen=True, slots=True)
class CurveFigures:
    """Fractions and ratios over one curve, annual where `trading.performance` has them so; None without meaning."""

    days: int
    total_return: float
    cagr: float
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None
    moments: Moments | None


def curve_returns(equity: Curve) -> Returns:
    """Return equity[i] / equity[i-1] - 1; `equity` in won, the first value that of the beginning."""
    values = equity.astype(np.float64)
    return values[1:] / values[:-1] - 1


def curve_figures(returns: Returns) -> CurveFigures:
    """Work out the figures of daily returns; those of no day at all are zeros."""
    found = moments(returns)
    growth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    cagr = _cagr(float(growth[-1]), len(returns))
    deepest = float((growth / np.maximum.accumulate(growth)).min() - 1)
    return CurveFigures(
        days=len(returns),
        total_return=float(growth[-1]) - 1,
        cagr=cagr,
        volatility=_volatility(returns),
        sharpe=None if found is None else found.sharpe * _ROOT,
        sortino=_sortino(returns),
        max_drawdown=deepest,
        calmar=cagr / -deepest if deepest else None,
        moments=found,
    )


def _cagr(growth: float, days: int) -> float:
    if not days or growth <= 0:
        return -1.0 if days else 0.0
    with np.errstate(over="ignore"):  # a day that multiplies the account, every day of a year
        return float(np.float64(growth) ** (_DAYS / days)) - 1


def _volatility(returns: Returns) -> float | None:
    return float(returns.std(ddof=1)) * _ROOT if len(returns) > 1 else None


def _sortino(returns: Returns) -> float | None:
    downside = np.minimum(returns, 0)
    if not downside.any():
        return None
    return float(returns.mean() / np.sqrt(np.mean(downside**2))) * _ROOT
