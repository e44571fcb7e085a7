"""This is what is computed from bars: sums and crossings, in whole numbers so that no rounding decides."""

from __future__ import annotations

from math import isqrt
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from strategies.base import BarColumns, Flags, Integers, Values

_WRAPS_BACK: Final = 6 * 10**9
"""A deviation is at most half of what the values lie apart."""


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


def rolling_maximum(values: Integers, window: int) -> Integers:
    """Give the largest of the last `window` values at each bar; 0 where there are fewer."""
    largest = np.zeros(len(values), dtype=np.int64)
    if len(values) >= window:
        largest[window - 1 :] = sliding_window_view(values, window).max(axis=-1)
    return largest


def rolling_deviation(values: Integers, window: int) -> Integers:
    """Give the standard deviation of the last `window` values, times `window`, floored; 0 where there are fewer.

    That is the root of window * sum of squares - square of the sum. Sums that wrap around wrap back in the
    difference, so nothing is lost as long as the result itself is below 3 * 10**9. Where the values lie too far
    apart for that, as prices in parts of a won may, Python's own whole numbers count.
    """
    if not len(values) or window * int(np.ptp(values)) < _WRAPS_BACK:
        sums, squares = rolling_sum(values, window), rolling_sum(values * values, window)
        return floored_root(window * squares - sums * sums)
    exact = values.tolist()
    deviations = np.zeros(len(exact), dtype=np.int64)
    for end in range(window, len(exact) + 1):
        last = exact[end - window : end]
        deviations[end - 1] = isqrt(window * sum(v * v for v in last) - sum(last) ** 2)
    return deviations


def floored_root(values: Integers) -> Integers:
    """Take the square root of whole numbers below 9 * 10**18, rounded down."""
    roots = np.sqrt(values.astype(np.float64)).astype(np.int64)
    roots -= roots * roots > values
    roots += (roots + 1) * (roots + 1) <= values
    return roots


def changes(values: Integers) -> Integers:
    """Give what each value is more than the one before; 0 for the first."""
    return np.diff(values, prepend=values[:1])


def true_range(columns: BarColumns) -> Integers:
    """Give how far each bar went in won, the way from the close before included."""
    before = np.concatenate([columns.open[:1], columns.close[:-1]])
    highest: Integers = np.maximum(columns.high, before)
    lowest: Integers = np.minimum(columns.low, before)
    return highest - lowest


def bars_into(periods: Integers) -> Integers:
    """Count the bars of a period (week, month) up to each bar: 1 at its first; periods never fall."""
    return np.arange(1, len(periods) + 1) - np.searchsorted(periods, periods)
