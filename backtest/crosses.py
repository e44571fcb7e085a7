"""This is where the moving-average cross marks its decisions for the fast engine, compiled by numba and kept on disk.

It calls no kernel of another file, and none of another file calls it (see `backtest.kernels`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backtest.compiling import Whole, kernel, part
from backtest.kernels import CLOSE, END, EXIT, NONE, START, VOLUME
from backtest.tables import Bits, Figures
from strategies.base import Integers


class Cross(NamedTuple):
    """Windows in bars; an entry's volume must pass numerator / denominator of its average."""

    fast: int
    slow: int
    window: int
    numerator: int
    denominator: int


def room_for(spans: Integers) -> tuple[Integers, Integers, Bits]:
    """Give room for the longest symbol, and one; made here, since numba would compile the making too."""
    longest = int((spans[:, END] - spans[:, START]).max(initial=0)) + 1
    return np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int8)


@kernel
def mark_crosses(
    bars: Figures, spans: Integers, cross: Cross, marks: Bits, room: tuple[Integers, Integers, Bits]
) -> Whole:
    """Mark the decisions of every symbol in zeros; give how many are entries. The first mark is that of their first row."""
    sums, entries, signs = room
    count = 0
    for k in range(len(spans)):
        start, end = spans[k, START], spans[k, END]
        own = marks[start - spans[0, START] : end - spans[0, START]]
        sum_up(bars[CLOSE, start:end], sums)
        mark_cross(sums[: end - start + 1], cross, signs, own)
        count += keep_loud(bars[VOLUME, start:end], cross, entries, own)
    return count


@part
def sum_up(values: Figures, sums: Integers) -> None:
    """Write the running sums of `values`, the first of which is 0."""
    sums[0] = total = NONE
    for i in range(len(values)):
        total += values[i]
        sums[i + 1] = total


@part
def mark_cross(sums: Integers, cross: Cross, signs: Bits, marks: Bits) -> None:
    """Mark the crosses of one symbol from the running sums of its closes; averages are compared as integers.

    Nothing branches in the loops, so that the processor takes eight bars at a time.
    """
    n, fast, slow = len(marks), cross.fast, cross.slow
    if n <= slow:
        return
    now, near, far = sums[slow:], sums[slow - fast :], sums
    for j in range(n + 1 - slow):
        gap = (now[j] - near[j]) * slow - (now[j] - far[j]) * fast
        signs[j] = np.int8(gap > 0) - np.int8(gap < 0)
    later = marks[slow:]
    for j in range(n - slow):
        up = (signs[j] <= 0) & (signs[j + 1] > 0)
        down = (signs[j] >= 0) & (signs[j + 1] < 0)
        later[j] = np.uint8(up) | np.uint8(np.uint8(down) << 1)  # ENTRY, EXIT


@part
def keep_loud(volume: Figures, cross: Cross, entries: Integers, marks: Bits) -> Whole:
    """Take back the entries whose volume is too small or has no average yet; give how many are left.

    They are listed first, so that the volumes of one are on their way while those of another are added up.
    """
    listed = 0
    for i in range(len(marks)):
        entries[listed] = i
        listed += marks[i] & 1
    kept = 0
    for j in range(listed):
        i = entries[j]
        total = NONE
        for before in range(max(0, i + 1 - cross.window), i + 1):
            total += volume[before]
        is_loud = np.int64(volume[i]) * cross.window * cross.denominator > total * cross.numerator
        if is_loud and i + 1 >= cross.window:
            kept += 1
        else:
            marks[i] &= EXIT
    return kept
