"""This is what the fast engine's loops are told, and what they keep of a symbol, in whole numbers.

It may lie in a file of its own: numba compiles anew when the fields of a tuple are others.
"""

from __future__ import annotations

from typing import NamedTuple


class Terms(NamedTuple):
    """What `BacktestOptions` say, in whole numbers; what is not limited or not asked for is over 0."""

    fill: int
    cash: int
    quantity: int
    places: int
    stop: int
    stop_over: int
    target: int
    target_over: int
    commission: int
    commission_over: int
    slippage: int
    slippage_over: int
    participation: int
    participation_over: int
    weight: int
    weight_over: int
    tax_over: int
    unit: int


class Account(NamedTuple):
    """Cash, the shares of one symbol, the prices at which they are left, and how many fills there were."""

    cash: int
    held: int
    stop: int
    target: int
    fills: int
