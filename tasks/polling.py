"""This is how often the prices that the stream has no room for are asked for, within the broker's pace."""

from __future__ import annotations

from typing import Final

POLL_SECONDS: Final = 1.0
"""At least this long between two reads of prices or bars: orders and inquiries need the broker's pace more."""
POLLED_WITHIN: Final = 120
"""Seconds in which the turn of each symbol comes that the stream does not hear; what is held is always heard first."""
SHARE: Final = 2
"""At most one call of so many is such a read, however slow the pace."""


def poll_seconds(calls_per_second: int) -> float:
    """Give the seconds between two reads."""
    return max(POLL_SECONDS, SHARE / calls_per_second)


def most_polled(calls_per_second: int) -> int:
    """Give how many symbols can be asked for in turn within `POLLED_WITHIN`."""
    return int(POLLED_WITHIN / poll_seconds(calls_per_second))
