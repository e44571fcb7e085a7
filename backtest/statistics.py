"""This is how much a Sharpe ratio proves: its probability, and what is left of it after many tries.

Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (Journal of Risk 15, 2012) for the probabilistic
ratio, "The Deflated Sharpe Ratio" (Journal of Portfolio Management 40, 2014) for the deflated one. Ratios here are
per day, not per year, and floats: a probability is no money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import e, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

type Floats = Sequence[float] | Sequence[Decimal] | npt.NDArray[np.float64]

EULER: Final = 0.5772156649015329
"""The Euler-Mascheroni constant."""
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """What the two ratios need of daily returns: their number, Sharpe ratio per day, skewness and kurtosis.

    sharpe = mean(r) / stdev(r) with n - 1; skewness = m3 / m2 ** 1.5 and kurtosis = m4 / m2 ** 2 with the moments
    m around the mean over n, so that a normal distribution has 0 and 3.
    """

    days: int
    sharpe: float
    skewness: float
    kurtosis: float


def moments(returns: Floats) -> Moments | None:
    """Work the moments out; None where they have no meaning: fewer than two returns, or all of them equal."""
    values = np.asarray(returns, dtype=np.float64)
    if len(values) <= 1 or (values == values[0]).all():
        return None
    apart = values - values.mean()
    square = apart * apart  # numpy raises to the third and fourth power a hundred times slower
    second = float(np.mean(square))
    if second == 0:  # so close to each other that their squares vanish
        return None
    return Moments(
        days=len(values),
        sharpe=float(values.mean() / values.std(ddof=1)),
        skewness=float(np.mean(square * apart)) / second**1.5,
        kurtosis=float(np.mean(square * square)) / second**2,
    )


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above `benchmark` (per day), 0 to 1.

    PSR = Φ((SR - benchmark) * sqrt(n - 1) / sqrt(1 - skewness * SR + (kurtosis - 1) / 4 * SR ** 2)).
    """
    ratio = found.sharpe
    spread = 1 - found.skewness * ratio + (found.kurtosis - 1) / 4 * ratio**2
    if spread <= 0:  # beyond the approximation: a ratio so large against its skewness
        return 1.0 if ratio > benchmark else 0.0
    return _NORMAL.cdf((ratio - benchmark) * sqrt(found.days - 1) / sqrt(spread))


def expected_best_sharpe(variance: float, tries: int) -> float:
    """Return the Sharpe ratio per day that the best of `tries` without any skill is expected to show.

    SR0 = sqrt(variance) * ((1 - EULER) * Φ⁻¹(1 - 1 / N) + EULER * Φ⁻¹(1 - 1 / (N * e))), `variance` being that of the ratios
    of all tries; 0 for a single one.
    """
    if tries <= 1:
        return 0.0
    near, far = (_NORMAL.inv_cdf(1 - 1 / count) for count in (tries, tries * e))
    return sqrt(variance) * ((1 - EULER) * near + EULER * far)


def deflated_sharpe(found: Moments, *, tries: int, variance: float) -> float:
    """Return the probability that the true Sharpe ratio is above what luck makes of so many tries.

    DSR = PSR against `expected_best_sharpe`. `tries` are all that were made, those that looked bad included.
    """
    return probabilistic_sharpe(found, expected_best_sharpe(variance, tries))


def variance_of(sharpes: Floats) -> float:
    """Return sum((x - mean) ** 2) / (n - 1) of the ratios of all tries; 0 below two."""
    values = np.asarray(sharpes, dtype=np.float64)
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
