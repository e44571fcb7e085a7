"""This is the look-ahead gate: whether a strategy decides from the past alone, and from the bars that live has.

Every bar from the warm-up on is tried, whether or not it holds a signal: flags, weights and figures at it must stay
as they are when later bars are added one by one, when the later bars are shuffled and their prices doubled or halved,
and when only as much of the past is there as a live evaluation reads. A strategy that remembers between two calls
gives itself away too: a copy of it is shown the short histories before the long one, and it itself everything at
once, as in a backtest. One that compares symbols is shown all of them together, day by day, so that another symbol's
future counts as future.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from backtest.answers import ROUNDING, Answer, Difference, Figure, Misshapen
from strategies.base import MINUTES_A_DAY, BarColumns, Integers, Strategy
from strategies.evaluation import bars_to_read
from trading.instruments import Symbol

FADING: Final = 1e-3
"""The same for a figure that older bars may still touch, e.g. an exponential average after its warm-up."""
_PRICES: Final = ("open", "high", "low", "close", "volume")
_HALVES: Final = (1, 2, 4)
"""How many halves of its price and volume a shuffled bar gets: a future that these bars alone would not show."""


class LeakKind(StrEnum):
    """How a strategy gave itself away."""

    FAILED = "failed"
    """It raised, or gave something else than one flag and one figure for each bar."""
    UNSTABLE = "unstable"
    """The same bars twice, and two answers."""
    REMEMBERED = "remembered"
    """Asked once about everything it decides differently than day by day."""
    FUTURE_ADDED = "future_added"
    """A decision changed when later bars came."""
    FUTURE_SHUFFLED = "future_shuffled"
    """A decision changed when later bars changed places and prices."""
    PAST_CUT = "past_cut"
    """A live evaluation, which reads fewer old bars, decides differently."""
    OUT_OF_REACH = "out_of_reach"
    """The broker's pages that are kept hold fewer bars than the warm-up."""
    TOO_SHORT = "too_short"
    """The history ends before there was anything to try."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What live has of daily bars: `page` rows in one answer of the broker (KIS: 100), `kept` bars in all pages."""

    kept: int
    page: int = 100

    def windows(self, warm_up: int) -> tuple[int, ...]:
        """Give how many bars an evaluation may find: a new listing, what it reads, whole pages, all."""
        pages = range(self.page, self.kept + 1, self.page)
        found = {warm_up, bars_to_read(warm_up), self.kept, *pages}
        return tuple(sorted(count for count in found if warm_up <= count))


@dataclass(frozen=True, slots=True)
class Leak:
    """One kind of leak on one symbol: `figures` tell it in words (`lookahead.<kind>` in adapters/wording)."""

    kind: LeakKind
    symbol: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class LookaheadReport:
    """What was found over `bars` bars, each of which was tried."""

    warm_up: int
    bars: int
    leaks: tuple[Leak, ...]

    @property
    def is_clean(self) -> bool:
        """Whether something was tried and nothing found."""
        return bool(self.bars) and not self.leaks


def examine(
    strategy: Strategy, histories: Mapping[Symbol, BarColumns], *, supply: Supply, seed: int = 1
) -> LookaheadReport:
    """Try `strategy` at every bar of every history; the same `seed` shuffles the same way.

    It must not have been asked anything yet.
    """
    leaks, bars = [*_reach(strategy.warm_up, supply)], 0
    answers: dict[Symbol, Answer] = {}
    for universe in _universes(strategy, histories):
        random = np.random.default_rng(seed)
        examination = _Examination(deepcopy(strategy), universe, supply, random)
        leaks += examination.leaks()
        bars += examination.bars
        answers |= examination.answers
    if answers:
        together = {symbol: histories[symbol] for symbol in answers}
        examination = _Examination(strategy, together, supply, np.random.default_rng(seed))
        leaks += examination.leaks_of_memory(answers)
    return LookaheadReport(strategy.warm_up, bars, tuple(leaks))


def _universes(
    strategy: Strategy, histories: Mapping[Symbol, BarColumns]
) -> Iterator[Mapping[Symbol, BarColumns]]:
    """Give the symbols one by one, but together to a strategy that may compare them."""
    if type(strategy).evaluate_all is Strategy.evaluate_all:
        yield from ({symbol: columns} for symbol, columns in histories.items())
    elif histories:
        yield histories


def _reach(warm_up: int, supply: Supply) -> Iterator[Leak]:
    if warm_up > supply.kept:
        pages = -(-supply.kept // supply.page)
        figures = {"needed": warm_up, "given": supply.kept, "pages": pages}
        yield Leak(LeakKind.OUT_OF_REACH, "", figures)


type _Universe = Mapping[Symbol, BarColumns]
type _Answers = Mapping[Symbol, Answer]
type _Found = Mapping[Symbol, Difference]


class _Examination:
    """One strategy on the symbols that it is asked about together."""

    def __init__(
        self, strategy: Strategy, universe: _Universe, supply: Supply, random: np.random.Generator
    ) -> None:
        self._strategy = strategy
        self._universe = universe
        self._supply = supply
        self._random = random
        self._first = max(strategy.warm_up, 1)
        self._times = {symbol: _times(columns) for symbol, columns in universe.items()}
        self.answers: _Answers = {}
        """What it decided about all bars, once it was led there day by day."""

    @property
    def bars(self) -> int:
        """How many bars are tried."""
        return sum(max(len(bars) - self._first + 1, 0) for bars in self._universe.values())

    def leaks(self) -> Iterator[Leak]:
        """Give what is found, each kind once for each symbol."""
        longest = max(len(columns) for columns in self._universe.values())
        if longest < self._first + 1:  # no bar that has a later one
            figures = {"bars": longest, "needed": self._first + 1}
            yield Leak(LeakKind.TOO_SHORT, self._name, figures)
            return
        yield from self._told(self._differences())

    def leaks_of_memory(self, answers: _Answers) -> Iterator[Leak]:
        """Give where it decides otherwise than the copies did that gave `answers`, each about its own symbols."""
        yield from self._told(self._memory(answers))

    @property
    def _name(self) -> str:
        return next(iter(self._universe)) if len(self._universe) == 1 else ""

    def _told(self, differences: Iterable[tuple[LeakKind, _Found]]) -> Iterator[Leak]:
        try:
            for kind, found in differences:
                for symbol, difference in found.items():
                    if told := difference.figures():
                        yield Leak(kind, symbol, {"bars": self.bars, **told})
        except Exception as error:  # noqa: BLE001 - whatever a strategy raises is what is wrong with it
            yield Leak(LeakKind.FAILED, self._name, {"words": f"{type(error).__name__}: {error}"})

    def _differences(self) -> Iterator[tuple[LeakKind, _Found]]:
        added, whole = self._add_bars()  # before anything else: nothing of the future was seen yet
        self.answers = whole
        yield LeakKind.FUTURE_ADDED, added
        yield LeakKind.UNSTABLE, self._ask_again(whole)
        yield LeakKind.FUTURE_SHUFFLED, self._shuffle(whole)
        yield LeakKind.PAST_CUT, self._cut(whole)

    def _memory(self, answers: _Answers) -> Iterator[tuple[LeakKind, _Found]]:
        yield LeakKind.REMEMBERED, self._ask_again(answers)

    def _add_bars(self) -> tuple[_Found, _Answers]:
        found, (first, *later) = self._nothing(), self._moments()
        before = self._ask(self._until(first))
        for moment in later:
            now = self._ask(self._until(moment))
            self._compare(found, before, now)
            before = now
        return found, before

    def _ask_again(self, whole: _Answers) -> _Found:
        found = self._nothing()
        self._compare(found, whole, self._ask(self._universe))
        return found

    def _shuffle(self, whole: _Answers) -> _Found:
        found = self._nothing()
        for moment in self._moments()[:-1]:
            counts = self._counts(moment)
            shuffled = {s: _shuffled(c, counts[s], self._random) for s, c in self._universe.items()}
            past = {symbol: whole[symbol].until(count) for symbol, count in counts.items()}
            self._compare(found, past, self._ask(shuffled))
        return found

    def _cut(self, whole: _Answers) -> _Found:
        found = self._nothing()
        for window in self._supply.windows(self._first):
            for moment in self._moments():
                counts = self._live(moment)
                if max(counts.values(), default=0) > window:
                    self._compare_live(found, whole, counts, window)
        return found

    def _compare_live(
        self, found: _Found, whole: _Answers, counts: Mapping[Symbol, int], window: int
    ) -> None:
        """Ask as live does at a close: what traded and has bars enough, and of that the last bars."""
        parts = {
            symbol: _part(self._universe[symbol], slice(max(count - window, 0), count))
            for symbol, count in counts.items()
        }
        for symbol, answer in self._ask(parts).items():
            count = counts[symbol]
            here, part = whole[symbol].until(count).last(), answer.last()
            cells = here.unlike(part, FADING)
            found[symbol].note(cells, here, part, first=count - 1, window=window)

    def _compare(self, found: _Found, one: _Answers, other: _Answers) -> None:
        """Compare the bars of `one` from the warm-up on: nothing is decided before."""
        since = self._first - 1
        for symbol, answer in one.items():
            count = answer.table.shape[1]
            here, there = answer.since(since), other[symbol].until(count).since(since)
            found[symbol].note(here.unlike(there, ROUNDING), here, there, first=since)

    def _ask(self, universe: _Universe) -> _Answers:
        """Let the strategy decide on a copy, so that one which writes into it spoils nothing."""
        shown = {symbol: _copied(columns) for symbol, columns in universe.items()}
        decided = self._strategy.evaluate_all(shown)
        if decided.keys() != universe.keys():
            raise Misshapen("decided about other symbols than it was asked about")
        answers = {s: Answer.of(decided[s], len(columns)) for s, columns in universe.items()}
        if any(_differ(columns, shown[symbol]) for symbol, columns in universe.items()):
            raise Misshapen("wrote into the bars that it was shown")
        return answers

    def _nothing(self) -> _Found:
        return {symbol: Difference(columns) for symbol, columns in self._universe.items()}

    def _moments(self) -> list[int]:
        """Give every moment with a bar at which something is warm, in order."""
        warm = (times[self._first - 1 :] for times in self._times.values())
        found: list[int] = reduce(np.union1d, warm).tolist()
        return found

    def _counts(self, moment: int) -> dict[Symbol, int]:
        """Count the bars of each symbol up to a moment."""
        return {
            symbol: int(np.searchsorted(times, moment, side="right"))
            for symbol, times in self._times.items()
        }

    def _until(self, moment: int) -> _Universe:
        return {s: self._universe[s].first(n) for s, n in self._counts(moment).items() if n}

    def _live(self, moment: int) -> dict[Symbol, int]:
        """Count the bars of what has one right at a moment and is warm."""
        return {
            symbol: count
            for symbol, count in self._counts(moment).items()
            if count >= self._first and self._times[symbol][count - 1] == moment
        }


def _times(columns: BarColumns) -> Integers:
    return columns.days * MINUTES_A_DAY + columns.minutes


def _differ(columns: BarColumns, others: BarColumns) -> bool:
    pairs = zip(_all(columns), _all(others), strict=True)
    return any((one != other).any() for one, other in pairs)


def _all(columns: BarColumns) -> Iterator[npt.NDArray[np.int64]]:
    return (getattr(columns, column.name) for column in fields(columns))


def _part(columns: BarColumns, part: slice) -> BarColumns:
    return BarColumns(*(column[part] for column in _all(columns)))


def _copied(columns: BarColumns) -> BarColumns:
    return BarColumns(*(column.copy() for column in _all(columns)))


def _shuffled(columns: BarColumns, since: int, random: np.random.Generator) -> BarColumns:
    """Give the bars from `since` on in another order and in another scale; the times stay where they are."""
    shown = _copied(columns)
    order = since + random.permutation(len(columns) - since)
    halves = random.choice(_HALVES)
    for name in _PRICES:
        row: npt.NDArray[np.int64] = getattr(shown, name)
        row[since:] = np.maximum(row[order] * halves // 2, 1)
    return shown
