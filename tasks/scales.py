"""This is what was paid, on the scale of today's prices: a split or a rights issue changes what a price means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from adapters.stores import UnitOfWork
from tasks.holdings import standing_fills
from trading.adjustments import ROUNDING
from trading.bars import Interval
from trading.executions import Execution
from trading.instruments import Symbol

_ONE: Final = Fraction(1)
_HALF: Final = Fraction(1, 2)


def comparable_fills(work: UnitOfWork, symbol: Symbol | None = None) -> tuple[Execution, ...]:
    """Give the standing fills as if they had been paid on today's scale; the books keep what was paid."""
    fills = standing_fills(work, symbol)
    days = dict.fromkeys((fill.symbol, fill.trading_day) for fill in fills)
    scales = {key: scale_of(work, *key) for key in days}
    return tuple(_scaled(fill, scales[fill.symbol, fill.trading_day]) for fill in fills)


def scale_of(work: UnitOfWork, symbol: Symbol, day: date) -> Fraction:
    """Give what a price of `day` is multiplied with today: its adjusted close by its raw one, 1 where one is missing."""
    raw = work.adjustments.raw(symbol, first=day, last=day)
    if not raw or not raw[-1].close:
        return _ONE
    adjusted = work.bars.between(symbol, Interval.DAY, first=day, last=day)
    if not adjusted:
        return _ONE
    after, before = adjusted[-1].close, raw[-1].close
    return _ONE if abs(after - before) <= ROUNDING else Fraction(after, before)


def _scaled(fill: Execution, scale: Fraction) -> Execution:
    return fill if scale == _ONE else replace(fill, value=max(1, int(fill.value * scale + _HALF)))
