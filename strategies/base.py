"""This is the contract of a strategy: columns of bars in, one decision per bar out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from strategies.exits import Trigger
from trading.bars import Bar, Interval
from trading.errors import InvalidBar
from trading.instruments import Symbol
from trading.sessions import KST

type Integers = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.bool_]
type Values = npt.NDArray[np.float64]

MINUTES_A_DAY: Final = 24 * 60
_DAILY: Final[Integers] = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """The bars of one symbol, oldest first: `days` as ordinals, prices in won, volume in shares.

    Of minute bars, `minutes` tells when each ended, counted from midnight in Seoul (09:01 is 541); it is 0 on
    daily ones. Only bars that traded: a halted day has no price, and a zero must never enter an average.
    """

    days: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers
    minutes: Integers = field(default_factory=lambda: _DAILY)

    def __post_init__(self) -> None:
        """Refuse columns that no average may run over.

        Raises:
            InvalidBar: for unequal lengths, days out of order, a price of 0 or a bar without volume.
        """
        if self.minutes is _DAILY:
            object.__setattr__(self, "minutes", np.zeros_like(self.days))
        if len({len(getattr(self, column.name)) for column in fields(self)}) != 1:
            raise InvalidBar("columns", "unequal lengths", "as many values in each as days")
        if (np.diff(self.days * MINUTES_A_DAY + self.minutes) <= 0).any():
            raise InvalidBar("days", "out of order", "rising, each day or minute once")
        for name in ("open", "high", "low", "close", "volume"):
            if (getattr(self, name) <= 0).any():
                raise InvalidBar(name, 0, "above 0 in every bar; leave halted days out")

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> Self:
        """Take the bars that traded, leaving out all encodings of a halted day (see `has_traded`)."""
        rows = [_row(bar) for bar in bars if has_traded(bar)]
        table = np.array(rows, dtype=np.int64).reshape(len(rows), len(fields(cls)))
        return cls(*np.ascontiguousarray(table.T))

    @classmethod
    def trusted(cls, columns: Iterable[Integers]) -> Self:
        """Take columns that another process of ours has checked already; checking is dearer than many decisions."""
        taken = cls.__new__(cls)
        for name, values in zip(COLUMNS, columns, strict=True):
            object.__setattr__(taken, name, values)
        object.__setattr__(taken, "minutes", np.zeros_like(taken.days))
        return taken

    def __len__(self) -> int:
        """Count the bars."""
        return len(self.days)

    def first(self, count: int) -> BarColumns:
        """Give what was known after the first `count` bars; what was checked needs no second look."""
        if count >= len(self):
            return self
        taken = BarColumns.trusted(getattr(self, name)[:count] for name in COLUMNS)
        object.__setattr__(taken, "minutes", self.minutes[:count])
        return taken


COLUMNS: Final = tuple(column.name for column in fields(BarColumns) if column.name != "minutes")
"""What there is of a daily bar."""


def has_traded(bar: Bar) -> bool:
    """Tell whether the bar has prices made by trades of the session.

    Not so on a halted day: zero prices (also with volume, an off-session block trade), or flat without volume.
    """
    return bar.volume > 0 and min(bar.open, bar.high, bar.low, bar.close) > 0


def _row(bar: Bar) -> tuple[int, ...]:
    day, minute = (
        bar.trading_day.toordinal(),
        _minute(bar) if bar.interval is Interval.MINUTE else 0,
    )
    return (day, bar.open, bar.high, bar.low, bar.close, bar.volume, minute)


def _minute(bar: Bar) -> int:
    ended = bar.at.astimezone(KST)
    return ended.hour * 60 + ended.minute


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """One entry and one exit flag per bar, and the figures behind them for reasons and charts.

    A flag at i is decided at the close of bar i and may be traded from bar i+1 on. Indicators are NaN where
    there are too few bars. `weight` is the part of equity to hold from then on, in ten-thousandths: 0 to leave,
    NaN where nothing new is decided and the flags alone count.
    """

    entry: Flags
    exit: Flags
    indicators: Mapping[str, Values] = field(default_factory=dict)
    weight: Values | None = None

    @classmethod
    def of_weight(cls, weight: Values, indicators: Mapping[str, Values]) -> Self:
        """Decide by weights alone."""
        never = np.zeros(len(weight), dtype=np.bool_)
        return cls(never, never, indicators, weight)


class Strategy(BaseModel):
    """Parameters with their ranges, and the one function that decides from them.

    `evaluate` at bar i may look at bars 0 to i only: live calls it with the bars up to now and takes the last
    flags, a backtest calls it once and takes them all, and both must be the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    interval: ClassVar[Interval] = Interval.DAY
    """Which bars it looks at."""
    trigger: ClassVar[Trigger] = Trigger.CROSS
    """What its signals are called."""

    @property
    def largest_weight(self) -> Decimal | None:
        """The largest part of equity that it may want of one symbol, None when it names no weights."""
        return None

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """Bars needed before the first decision."""

    @abstractmethod
    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar."""

    def evaluate_all(self, universe: Mapping[Symbol, BarColumns]) -> Mapping[Symbol, Decisions]:
        """Decide about every symbol by itself."""
        return {symbol: self.evaluate(columns) for symbol, columns in universe.items()}
