"""This is what is computed from bars: sums and crossings, in whole numbers so that no rounding decides."""

from __future__ import annotations

import numpy as np

from strategies.base import Flags, Integers, Values


def rolling_sum(values: Integers, window: int) -> Integers:
    """Sum the last `window` values at each bar, exactly; 0 where there are fewer."""
    sums = np.zeros(len(values), dtype=np.int64)
    if len(values) >= window:
        total = np.cumsum(values)
        sums[window - 1] = total[window - 1]
        sums[window:] = total[window:] - total[:-window]
    return sums


def average(sums: Integers, window: int) -> Values:
    """Turn rolling sums into averages, to be shown and never to be compared; NaN where there are too few."""
    averages = sums / window
    averages[: window - 1] = np.nan
    return averages


def crossed_above(left: Integers, right: Integers, *, since: int) -> Flags:
    """Flag each bar from `since` on where left was at or below right on the bar before and is above it now."""
    flags = np.zeros(len(left), dtype=np.bool_)
    flags[1:] = (left[:-1] <= right[:-1]) & (left[1:] > right[1:])
    flags[:since] = False
    return flags
