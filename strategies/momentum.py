"""This is momentum: each month the symbols that rose most, each with the same part of equity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, Self

import numpy as np
from pydantic import Field, model_validator

from strategies.base import BarColumns, Decisions, Flags, Integers, Strategy, Values
from strategies.exits import Trigger
from strategies.indicators import bars_into
from trading.errors import InvalidSetting
from trading.instruments import Symbol

MOST_SESSIONS_A_MONTH: Final = 23
_EPOCH: Final = 719_163
"""The ordinal of 1970-01-01, where numpy's days begin."""
_SCALE: Final = 10**9
_ANY: Final = Symbol("000000")


class Momentum(Strategy):
    """Hold the `holdings` symbols that rose most, `weight` of equity in each, chosen anew each month.

    A symbol's growth is its close `skip` bars before the end of last month against the close `lookback` bars
    before that; growths are compared as whole billionths. Equal ones go by symbol. The choice is told at the
    closes of the month's first `sessions` bars: what the first sells pays for what the next ones buy. All that
    have a bar on a day are compared, however new they are to the strategy.
    """

    kind: ClassVar[str] = "momentum"
    trigger: ClassVar[Trigger] = Trigger.WEIGHT

    lookback: int = Field(default=120, ge=1, le=500, description="bars over which growth counts")
    skip: int = Field(
        default=20, ge=0, le=60, description="bars before the month's end that are left out"
    )
    holdings: int = Field(default=3, ge=1, le=100, description="symbols that are held at once")
    weight: Decimal = Field(
        default=Decimal("0.15"), gt=0, le=1, decimal_places=4, description="part of equity in each"
    )
    sessions: int = Field(
        default=2, ge=1, le=5, description="sessions of each month in which it goes for its choice"
    )
    rising_only: bool = Field(default=True, description="whether it holds only what rose at all")

    @model_validator(mode="after")
    def _fits_equity(self) -> Self:
        if self.weight * self.holdings > 1:
            expected = f"at most 1 divided by holdings={self.holdings}"
            raise InvalidSetting("weight", self.weight, expected)
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision: back to the month before, and from there the growth."""
        return self.lookback + self.skip + MOST_SESSIONS_A_MONTH + 1

    @property
    def largest_weight(self) -> Decimal:
        """The part of equity in each symbol that it holds."""
        return self.weight

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide about a symbol that is compared with no other."""
        return self.evaluate_all({_ANY: columns})[_ANY]

    def evaluate_all(self, universe: Mapping[Symbol, BarColumns]) -> Mapping[Symbol, Decisions]:
        """Compare the symbols on every day, and decide about each."""
        if not universe:
            return {}
        symbols = sorted(universe)
        growths = [self._growth(universe[symbol]) for symbol in symbols]
        ranks = _ranks([universe[s].days for s in symbols], growths, since=self.warm_up - 1)
        return {
            symbol: self._decide(universe[symbol], growth, rank)
            for symbol, growth, rank in zip(symbols, growths, ranks, strict=True)
        }

    def _growth(self, columns: BarColumns) -> Integers:
        """Give new close / old close in billionths as of last month's end, 0 where there are too few bars."""
        newest = np.arange(len(columns)) - bars_into(_months(columns)) - self.skip
        oldest = newest - self.lookback
        growth = np.zeros(len(columns), dtype=np.int64)
        known = oldest >= 0
        close = columns.close
        growth[known] = close[newest[known]] * _SCALE // close[oldest[known]]
        return growth

    def _decide(self, columns: BarColumns, growth: Integers, rank: Integers) -> Decisions:
        is_chosen: Flags = (rank <= self.holdings) & ((growth > _SCALE) | (not self.rising_only))
        is_time = bars_into(_months(columns)) <= self.sessions
        is_warm = np.arange(len(columns)) >= self.warm_up - 1
        weight = np.where(is_chosen, float(self.weight), 0.0)
        shown: Values = np.where(is_warm, (growth - _SCALE) / (_SCALE // 100), np.nan)
        return Decisions.of_weight(
            np.where(is_time & is_warm, weight, np.nan),
            {"rank": np.where(is_warm, rank, np.nan), "growth": shown},
        )


def _months(columns: BarColumns) -> Integers:
    """Number the months."""
    days = (columns.days - _EPOCH).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int64)


def _ranks(days: Sequence[Integers], growths: Sequence[Integers], *, since: int) -> list[Integers]:
    """Rank each symbol among all that have a bar on the day, 1 for the highest growth; 0 before bar `since`."""
    day = np.concatenate([each[since:] for each in days])
    growth = np.concatenate([each[since:] for each in growths])
    order = np.lexsort((-growth, day))  # stable: equal ones stay in the order of their symbols
    ranks = np.empty(len(day), dtype=np.int64)
    ranks[order] = bars_into(day[order])
    ends = np.cumsum([max(len(each) - since, 0) for each in days])[:-1]
    return [
        np.concatenate([np.zeros(min(since, len(each)), dtype=np.int64), part])
        for each, part in zip(days, np.split(ranks, ends), strict=True)
    ]
