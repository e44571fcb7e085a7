"""This is volatility targeting: the calmer a symbol, the more of it; the wilder, the less."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from strategies.base import BarColumns, Decisions, Flags, Integers, Strategy
from strategies.exits import Trigger
from strategies.indicators import bars_into, changes, floored_root, rolling_sum

DAYS_PER_YEAR: Final = 252
_UNIT: Final = 10**5
"""Returns are counted in hundred-thousandths."""
_WHOLE: Final = 1000
"""The part of the full weight is counted in thousandths."""
_WEEK: Final = 7
_TEN_THOUSANDTHS: Final = 10_000


class VolatilityTarget(Strategy):
    """Hold `weight` of equity times target volatility / own volatility, at most `weight`, looked at weekly.

    Own volatility is the root of 252 times the mean square of the last `window` daily returns, their mean taken
    as 0. Everything is counted in whole numbers: returns in hundred-thousandths, the part in thousandths, rounded
    down. Below its average it is not held at all.
    """

    kind: ClassVar[str] = "volatility_target"
    trigger: ClassVar[Trigger] = Trigger.WEIGHT

    volatility: Decimal = Field(
        default=Decimal("0.15"),
        gt=0,
        le=1,
        decimal_places=4,
        description="yearly volatility up to which a symbol has its full weight",
    )
    weight: Decimal = Field(
        default=Decimal("0.15"),
        gt=0,
        le=1,
        decimal_places=4,
        description="full part of equity of each",
    )
    window: int = Field(default=60, ge=2, le=250, description="daily returns that are looked at")
    trend: int | None = Field(
        default=100,
        ge=2,
        le=1000,
        description="days of the average that the close must be above; null to hold in any trend",
    )

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: the returns, the average, and a week's beginning."""
        return max(self.window + 1, self.trend or 0, _WEEK)

    @property
    def largest_weight(self) -> Decimal:
        """The part of equity of a calm symbol."""
        return self.weight

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at the first bar of every week; nothing before `warm_up` bars are there."""
        squares = rolling_sum(_returns(columns.close) ** 2, self.window)
        is_warm = np.arange(len(columns)) >= self.warm_up - 1
        is_time = bars_into((columns.days - 1) // _WEEK) == 1
        full = int(self.weight * _TEN_THOUSANDTHS)
        wanted = np.where(self._is_in_trend(columns), full * self._part(squares) // _WHOLE, 0)
        yearly = 100 * np.sqrt(DAYS_PER_YEAR * squares / self.window) / _UNIT
        return Decisions.of_weight(
            np.where(is_warm & is_time, wanted / _TEN_THOUSANDTHS, np.nan),
            {"volatility": np.where(is_warm, yearly, np.nan)},
        )

    def _part(self, squares: Integers) -> Integers:
        """Give target / own volatility in thousandths, at most 1000."""
        target = int(self.volatility * _UNIT)
        wanted = target * target * self.window * _WHOLE * _WHOLE
        return np.minimum(floored_root(wanted // np.maximum(DAYS_PER_YEAR * squares, 1)), _WHOLE)

    def _is_in_trend(self, columns: BarColumns) -> Flags:
        if self.trend is None:
            return np.ones(len(columns), dtype=np.bool_)
        return columns.close * self.trend > rolling_sum(columns.close, self.trend)


def _returns(close: Integers) -> Integers:
    """Give each day's return in hundred-thousandths, rounded down."""
    before = np.concatenate([close[:1], close[:-1]])
    returns: Integers = changes(close) * _UNIT // before
    return returns
