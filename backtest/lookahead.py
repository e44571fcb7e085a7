"""This is the look-ahead gate: whether a strategy decides from the past alone, and from the bars that live has.

Every bar from the warm-up on is tried, whether or not it holds a signal: flags and figures at it must stay as
they are when later bars are added one by one, when the later bars are shuffled and their prices doubled or halved,
and when only as much of the past is there as a live evaluation reads. A strategy that remembers between two calls gives itself away too, because
the short histories are shown to it before the long one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from strategies.base import BarColumns, Decisions, Flags, Strategy, Values
from strategies.evaluation import bars_to_read
from trading.instruments import Symbol

type Figure = str | int | date

ROUNDING: Final = 1e-9
"""By how much a figure may differ, as a part of it, when the same bars are added up in another order."""
FADING: Final = 1e-3
"""The same for a figure that older bars may still touch, e.g. an exponential average after its warm-up."""
_FLAGS: Final = ("entry", "exit")
_HALVES: Final = (1, 2, 4)
"""How many halves of its price and volume a shuffled bar gets: a future that these bars alone would not show."""


class LeakKind(StrEnum):
    """How a strategy gave itself away."""

    FAILED = "failed"
    """It raised, or gave something else than one flag and one figure for each bar."""
    UNSTABLE = "unstable"
    """The same bars twice, and two answers."""
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
    """Try `strategy` at every bar of every history; the same `seed` shuffles the same way."""
    leaks = [*_reach(strategy.warm_up, supply)]
    bars = 0
    for symbol, columns in histories.items():
        examination = _Examination(strategy, columns, supply, np.random.default_rng(seed))
        leaks += [Leak(kind, symbol, figures) for kind, figures in examination.leaks()]
        bars += examination.bars
    return LookaheadReport(strategy.warm_up, bars, tuple(leaks))


def _reach(warm_up: int, supply: Supply) -> Iterator[Leak]:
    if warm_up > supply.kept:
        pages = -(-supply.kept // supply.page)
        figures = {"needed": warm_up, "given": supply.kept, "pages": pages}
        yield Leak(LeakKind.OUT_OF_REACH, "", figures)


class _MisshapenError(Exception):
    """An answer that is not one flag and one figure for each bar."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Decisions as a table: one row for each name, one column for each bar."""

    names: tuple[str, ...]
    table: Values

    @classmethod
    def of(cls, decisions: Decisions, count: int) -> _Answer:
        rows = {"entry": decisions.entry, "exit": decisions.exit, **decisions.indicators}
        for name, row in rows.items():
            if np.shape(row) != (count,):
                raise _MisshapenError(f"{name}: {np.shape(row)}, bars: {count}")
        return cls(tuple(rows), np.array(list(rows.values()), dtype=np.float64))

    def last(self) -> _Answer:
        return _Answer(self.names, self.table[:, -1:])

    def until(self, count: int) -> _Answer:
        return _Answer(self.names, self.table[:, :count])

    def unlike(self, other: _Answer, tolerance: float) -> Flags:
        """Flag every cell in which the two differ."""
        if self.names != other.names:
            raise _MisshapenError(f"{', '.join(self.names)} / {', '.join(other.names)}")
        same = np.isclose(self.table, other.table, rtol=tolerance, atol=0, equal_nan=True)
        return np.logical_not(same)


class _Difference:
    """What differed, at how many bars, and the first of them."""

    def __init__(self, columns: BarColumns) -> None:
        self._columns = columns
        self._bars: set[int] = set()
        self._figures: dict[str, Figure] = {}

    def note(
        self, cells: Flags, one: _Answer, other: _Answer, *, first: int, **figures: Figure
    ) -> None:
        """Note the cells that differ; the first column is bar `first`."""
        if not cells.any():
            return
        bars = np.flatnonzero(cells.any(axis=0))
        place = int(bars[0])
        if not self._bars or first + place < min(self._bars):
            row = int(np.flatnonzero(cells[:, place])[0])
            self._figures = {
                "day": date.fromordinal(int(self._columns.days[first + place])),
                "name": one.names[row],
                "one": _written(one.names[row], one.table[row, place]),
                "other": _written(one.names[row], other.table[row, place]),
                **figures,
            }
        self._bars.update(int(bar) + first for bar in bars)

    def figures(self) -> Mapping[str, Figure] | None:
        """Tell what differed, None when nothing did."""
        return {"count": len(self._bars), **self._figures} if self._bars else None


class _Examination:
    """One strategy on one history."""

    def __init__(
        self, strategy: Strategy, columns: BarColumns, supply: Supply, random: np.random.Generator
    ) -> None:
        self._strategy = strategy
        self._columns = columns
        self._supply = supply
        self._random = random
        self._first = max(strategy.warm_up, 1)

    @property
    def bars(self) -> int:
        """How many bars are tried."""
        return max(len(self._columns) - self._first + 1, 0)

    def leaks(self) -> Iterator[tuple[LeakKind, Mapping[str, Figure]]]:
        """Give what is found, each kind once."""
        if self.bars < 2:  # noqa: PLR2004 - a bar that has a later one
            yield LeakKind.TOO_SHORT, {"bars": len(self._columns), "needed": self._first + 1}
            return
        try:
            for kind, found in self._differences():
                if figures := found.figures():
                    yield kind, {"bars": self.bars, **figures}
        except Exception as error:  # noqa: BLE001 - whatever a strategy raises is what is wrong with it
            yield LeakKind.FAILED, {"words": f"{type(error).__name__}: {error}"}

    def _differences(self) -> Iterator[tuple[LeakKind, _Difference]]:
        added, whole = self._add_bars()  # before anything else: nothing of the future was seen yet
        yield LeakKind.FUTURE_ADDED, added
        yield LeakKind.UNSTABLE, self._ask_again(whole)
        yield LeakKind.FUTURE_SHUFFLED, self._shuffle(whole)
        yield LeakKind.PAST_CUT, self._cut(whole)

    def _add_bars(self) -> tuple[_Difference, _Answer]:
        found = _Difference(self._columns)
        before = self._ask(self._columns.first(self._first))
        for count in range(self._first, len(self._columns)):
            now = self._ask(self._columns.first(count + 1))
            self._compare(found, before, now.until(count))
            before = now
        return found, before

    def _ask_again(self, whole: _Answer) -> _Difference:
        found = _Difference(self._columns)
        self._compare(found, whole, self._ask(self._columns))
        return found

    def _shuffle(self, whole: _Answer) -> _Difference:
        found = _Difference(self._columns)
        for count in range(self._first, len(self._columns) - 1):
            answer = self._ask(_shuffled(self._columns, count, self._random))
            self._compare(found, whole.until(count), answer.until(count))
        return found

    def _cut(self, whole: _Answer) -> _Difference:
        found = _Difference(self._columns)
        for window in self._supply.windows(self._first):
            for count in range(window + 1, len(self._columns) + 1):
                part = self._ask(_part(self._columns, slice(count - window, count))).last()
                here = whole.until(count).last()
                found.note(here.unlike(part, FADING), here, part, first=count - 1, window=window)
        return found

    def _compare(self, found: _Difference, one: _Answer, other: _Answer) -> None:
        """Compare from the warm-up on: nothing is decided before."""
        since = self._first - 1
        cells = one.unlike(other, ROUNDING)[:, since:]
        found.note(cells, _since(one, since), _since(other, since), first=since)

    def _ask(self, columns: BarColumns) -> _Answer:
        """Let the strategy decide on a copy, so that one which writes into it spoils nothing."""
        shown = _copied(columns)
        answer = _Answer.of(self._strategy.evaluate(shown), len(columns))
        if any((one != other).any() for one, other in zip(_all(columns), _all(shown), strict=True)):
            raise _MisshapenError("wrote into the bars that it was shown")
        return answer


def _since(answer: _Answer, first: int) -> _Answer:
    return _Answer(answer.names, answer.table[:, first:])


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
    for name in ("open", "high", "low", "close", "volume"):
        row: npt.NDArray[np.int64] = getattr(shown, name)
        row[since:] = np.maximum(row[order] * halves // 2, 1)
    return shown


def _written(name: str, value: float) -> str:
    return str(bool(value)).lower() if name in _FLAGS else f"{value:.6g}"
