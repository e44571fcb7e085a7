"""This is strategies that see the future in twenty-odd ways, and ten that do not, for the look-ahead gate to tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from backtest.lookahead import LeakKind
from strategies.base import BarColumns, Decisions, Flags, Integers, Strategy, Values
from strategies.moving_average import MovingAverageCross

type Numbers = npt.NDArray[np.int64] | Values
type Decide = Callable[[BarColumns], Decisions]

WARM_UP: Final = 30


class Planted(Strategy):
    """A strategy that decides by a function."""

    kind: ClassVar[str] = "planted"

    decide: Decide
    needed: int = WARM_UP

    @property
    def warm_up(self) -> int:
        """Bars needed before the first decision."""
        return self.needed

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Decide at every bar."""
        return self.decide(columns)


def enter(entry: Any, **figures: Numbers) -> Decisions:
    """Enter where `entry` says so, leave where it does not."""
    flags: Flags = np.asarray(entry, dtype=np.bool_)
    floats = {name: np.asarray(figure, dtype=np.float64) for name, figure in figures.items()}
    return Decisions(flags, np.logical_not(flags), floats)


def rolling(values: Numbers, window: int, of: Callable[..., Any] = np.mean) -> Values:
    """Apply `of` to the last `window` values at each bar; NaN where there are fewer."""
    result = np.full(len(values), np.nan)
    if len(values) >= window:
        result[window - 1 :] = of(sliding_window_view(values, window), axis=-1)
    return result


def before(values: Numbers, bars: int = 1) -> Values:
    """Give the value of `bars` bars ago, NaN where there is none."""
    return np.concatenate(
        [np.full(min(bars, len(values)), np.nan), values[: max(len(values) - bars, 0)]]
    )


def after(values: Numbers, bars: int = 1) -> Values:
    """Give the value in `bars` bars, NaN where there is none."""
    return before(values[::-1], bars)[::-1]


def exponential(values: Numbers, span: int) -> Values:
    """Average with weights that fade, from the first bar on."""
    averages = np.array(values, dtype=np.float64)
    weight = 2 / (span + 1)
    for i in range(1, len(averages)):
        averages[i] = weight * averages[i] + (1 - weight) * averages[i - 1]
    return averages


def month(columns: BarColumns) -> Integers:
    """Number the months."""
    days = (date.fromordinal(int(day)) for day in columns.days)
    return np.array([day.year * 12 + day.month for day in days], dtype=np.int64)


def weekday(columns: BarColumns) -> Integers:
    """Give 0 for Monday."""
    return (columns.days - 1) % 7


def _month_highs(c: BarColumns) -> Decisions:
    months = month(c)
    highs = np.array([c.high[months == each].max() for each in months])
    return enter(c.close > highs * 0.95)


def _weekly_closes(c: BarColumns) -> Decisions:
    weeks = (c.days - 1) // 7
    closes = np.array([c.close[weeks == each][-1] for each in weeks])
    return enter(closes > rolling(c.close, 20))


def _best_window(c: BarColumns) -> Decisions:
    """Take the window that would have earned most on all of the history."""
    gains = np.diff(c.close, append=c.close[-1])
    windows = (3, 5, 8, 13)
    best = max(windows, key=lambda w: float(gains[c.close > rolling(c.close, w)].sum()))
    return enter(c.close > rolling(c.close, best))


def _profitable_trades(c: BarColumns) -> Decisions:
    """Drop the entries that would have lost within five bars."""
    crosses = c.close > rolling(c.close, 10)
    return enter(crosses & ~(after(c.close, 5) < c.close))


def _pivots(c: BarColumns) -> Decisions:
    """Enter at a low that is the lowest of three bars on either side."""
    lows = np.array([c.low[max(i - 3, 0) : i + 4].min() for i in range(len(c))])
    return enter(c.low == lows)


def _interpolated(c: BarColumns) -> Decisions:
    knots = np.arange(0, len(c), 10)
    line = np.interp(np.arange(len(c)), knots, c.close[knots])
    return enter(c.close > line)


def _backfilled(c: BarColumns) -> Decisions:
    """Know a figure only each tenth bar and fill the bars before it."""
    places = np.minimum(-(-np.arange(len(c)) // 10) * 10, len(c) - 1)
    return enter(c.close < c.close[places])


def _low_pass(c: BarColumns) -> Decisions:
    waves = np.fft.rfft(c.close)
    waves[len(waves) // 8 :] = 0
    return enter(c.close < np.fft.irfft(waves, len(c)))


def _trend_line(c: BarColumns) -> Decisions:
    slope, start = np.polyfit(np.arange(len(c)), c.close, 1)
    return enter(c.close < slope * np.arange(len(c)) + start)


def _both_ways(c: BarColumns) -> Decisions:
    return enter(c.close < exponential(exponential(c.close, 5)[::-1], 5)[::-1])


class _Memory:
    """Keeps every close that it was ever shown, and looks tomorrow's up."""

    def __init__(self) -> None:
        self.closes: dict[int, int] = {}

    def __call__(self, c: BarColumns) -> Decisions:
        self.closes.update(zip(c.days.tolist(), c.close.tolist(), strict=True))
        known = sorted(self.closes)
        following = dict(pairwise(known))
        return enter(
            [self.closes[following.get(day, day)] > self.closes[day] for day in c.days.tolist()]
        )


class _Fitted:
    """Takes its level from whatever it was shown first."""

    def __init__(self) -> None:
        self.level = 0.0

    def __call__(self, c: BarColumns) -> Decisions:
        self.level = self.level or float(c.close.mean())
        return enter(c.close > self.level)


class Neighbour:
    """Takes the symbol that it is shown first for the market, and looks its tomorrow up for all others."""

    def __init__(self) -> None:
        self.market: dict[int, int] = {}

    def __call__(self, c: BarColumns) -> Decisions:
        closes = dict(zip(c.days.tolist(), c.close.tolist(), strict=True))
        if all(self.market.get(day, close) == close for day, close in closes.items()):
            self.market |= closes
            return enter(np.zeros(len(c)))
        return enter([self.market.get(d + 1, 0) > self.market.get(d, 0) for d in closes])


class _Mood:
    """Asked twice, says two things."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, c: BarColumns) -> Decisions:
        self.asked += 1
        return enter(np.full(len(c), self.asked % 2 == 0))


def _writing(c: BarColumns) -> Decisions:
    c.close[:] = np.maximum.accumulate(c.close)
    return enter(c.close > rolling(c.close, 10))


def _shorter(c: BarColumns) -> Decisions:
    return enter(np.diff(c.close) > 0)


def _masked(c: BarColumns) -> Decisions:
    """Lay figures over both flags."""
    nothing = np.zeros(len(c))
    return replace(enter(after(c.close) > c.close), indicators={"entry": nothing, "exit": nothing})


def _average(c: BarColumns, values: Numbers) -> Decisions:
    return enter(c.close > np.cumsum(values) / np.arange(1, len(c) + 1))


ADDED, SHUFFLED, CUT = LeakKind.FUTURE_ADDED, LeakKind.FUTURE_SHUFFLED, LeakKind.PAST_CUT

LEAKS: Final[Mapping[str, tuple[Decide, LeakKind]]] = {
    "tomorrow's close": (lambda c: enter(after(c.close) > c.close), ADDED),
    "tomorrow's opening": (lambda c: enter(after(c.open) > c.close), ADDED),
    "tomorrow's volume": (lambda c: enter(after(c.volume) > c.volume), ADDED),
    "tomorrow's low as a stop": (lambda c: enter(after(c.low) > c.close * 0.97), ADDED),
    "a shift by one too few": (
        lambda c: enter(c.close > after(rolling(c.close, 10))),
        ADDED,
    ),
    "a centred average": (lambda c: enter(c.close > after(rolling(c.close, 11), 5)), ADDED),
    "a part of the highest price ever": (
        lambda c: enter(c.close > c.high.max() * 0.8),
        SHUFFLED,
    ),
    "a score over all bars": (
        lambda c: enter((c.close - c.close.mean()) / c.close.std() > 0.5),
        ADDED,
    ),
    "a rank over all bars": (
        lambda c: enter(c.close.argsort().argsort() > len(c) * 0.7),
        ADDED,
    ),
    "the median volume of all bars": (lambda c: enter(c.volume > np.median(c.volume)), ADDED),
    "a low known only later": (_pivots, ADDED),
    "a figure filled backwards": (_backfilled, ADDED),
    "a line between monthly points": (_interpolated, ADDED),
    "the week's close on Monday": (_weekly_closes, ADDED),
    "the month's high on its first day": (_month_highs, ADDED),
    "a filter over all bars": (_low_pass, ADDED),
    "a filter forwards and backwards": (_both_ways, ADDED),
    "a line through all bars": (_trend_line, ADDED),
    "parameters fitted to all bars": (_best_window, SHUFFLED),
    "only the trades that will win": (_profitable_trades, ADDED),
    "out on the last bar": (lambda c: enter(np.arange(len(c)) < len(c) - 1), ADDED),
    "whether tomorrow is a holiday": (
        lambda c: enter(np.diff(c.days, append=c.days[-1] + 1) == 1),
        ADDED,
    ),
    "a figure that decides nothing": (
        lambda c: enter(c.close > rolling(c.close, 5), scale=c.close / c.close.max()),
        ADDED,
    ),
    "what it was shown before": (_Memory(), ADDED),
    "an average that needs more past": (lambda c: enter(c.close > exponential(c.close, 60)), CUT),
    "an average since the beginning": (lambda c: _average(c, c.close), CUT),
    "each tenth bar since the beginning": (lambda c: enter(np.arange(len(c)) % 10 == 0), CUT),
    "a level fitted once, to what it was shown first": (_Fitted(), LeakKind.REMEMBERED),
    "a moment's mood": (_Mood(), LeakKind.UNSTABLE),
    "bars that it wrote into": (_writing, LeakKind.FAILED),
    "one flag too few": (_shorter, LeakKind.FAILED),
    "a figure in the place of a flag": (_masked, LeakKind.FAILED),
}
"""A strategy for each way to cheat, and the kind of leak that must be found."""


def cheat(name: str) -> Planted:
    """Give one that cheats so; each has a memory of its own."""
    return Planted(decide=deepcopy(LEAKS[name][0]))


def _relative_strength(c: BarColumns) -> Decisions:
    changes = np.diff(c.close, prepend=c.close[0])
    gains = rolling(np.maximum(changes, 0), 14, np.sum)
    losses = rolling(np.maximum(-changes, 0), 14, np.sum)
    return enter(gains < 0.3 * (gains + losses), gains=gains, losses=losses)


def _bands(c: BarColumns) -> Decisions:
    middle, width = rolling(c.close, 20), rolling(c.close, 20, np.std)
    return enter(c.close > middle + 2 * width, middle=middle, width=width)


def _range(c: BarColumns) -> Decisions:
    true_range = np.maximum(c.high, before(c.close)) - np.minimum(c.low, before(c.close))
    return enter(c.close > before(c.close) + rolling(true_range, 14), range=rolling(true_range, 14))


CLEAN: Final[Mapping[str, Strategy]] = {
    "a moving-average cross": MovingAverageCross(fast=5, slow=29, volume_window=20),
    "a reversal by relative strength": Planted(decide=_relative_strength),
    "a breakout of bands": Planted(decide=_bands),
    "a breakout by true range": Planted(decide=_range),
    "a channel of yesterday's highs": Planted(
        decide=lambda c: enter(c.close > before(rolling(c.high, 20, np.max)))
    ),
    "momentum": Planted(
        decide=lambda c: enter(c.close > before(c.close, 20), past=before(c.close, 20))
    ),
    "an exponential cross with past enough": Planted(
        decide=lambda c: enter(exponential(c.close, 3) > exponential(c.close, 6)), needed=60
    ),
    "a spike of volume": Planted(decide=lambda c: enter(c.volume > 2 * rolling(c.volume, 20))),
    "the first session of a month": Planted(
        decide=lambda c: enter(np.diff(month(c), prepend=month(c)[:1]) != 0), needed=2
    ),
    "Mondays after a gap": Planted(
        decide=lambda c: enter((weekday(c) == 0) & (c.open > before(c.close)))
    ),
}
"""Ten strategies that look back only, over no more than their warm-up."""
