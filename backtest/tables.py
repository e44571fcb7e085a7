"""This is bars of many symbols as one table of whole numbers, so that a loop over them meets no object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from strategies.base import COLUMNS, BarColumns, Integers
from trading.instruments import Symbol

type Bits = npt.NDArray[np.uint8] | npt.NDArray[np.int8]
"""Decisions by row, or signs."""

type Figures = npt.NDArray[np.int32 | np.int64]
"""Days, prices and volumes: half as wide where all of them fit, since a market of ten years is large."""


@dataclass(frozen=True, eq=False)
class BarTable(Mapping[Symbol, BarColumns]):
    """A row of `bars` for each of `COLUMNS`; symbol k has its columns from starts[k] up to starts[k + 1].

    Symbols rise, and each has at least one bar. Only bars that traded (see `BarColumns`). As a mapping it gives
    one symbol's columns, always int64: a strategy adds and multiplies them.
    """

    symbols: tuple[Symbol, ...]
    starts: Integers
    bars: Figures

    @classmethod
    def of(cls, universe: Mapping[Symbol, BarColumns]) -> Self:
        """Copy columns into one table, as narrow as they allow; symbols without bars are left out."""
        found = {symbol: universe[symbol] for symbol in sorted(universe) if len(universe[symbol])}
        starts = np.cumsum([0, *(len(columns) for columns in found.values())], dtype=np.int64)
        columns = [[getattr(each, name) for each in found.values()] for name in COLUMNS]
        kind = narrowest(values for column in columns for values in column)
        bars: Figures = np.empty((len(COLUMNS), starts[-1]), dtype=kind)
        for row, column in zip(bars, columns, strict=True):
            np.concatenate(column or [row], out=row, casting="same_kind")
        return cls(tuple(found), starts, bars)

    def only(self, symbols: Iterable[Symbol]) -> Self:
        """Give the table of some of its symbols, without those that have no bars."""
        wanted = set(symbols)
        counts = np.diff(self.starts)
        kept = [k for k, symbol in enumerate(self.symbols) if symbol in wanted and counts[k]]
        if len(kept) == len(self.symbols):
            return self
        spans = [self.bars[:, self.starts[k] : self.starts[k + 1]] for k in kept]
        bars: Figures = np.concatenate([self.bars[:, :0], *spans], axis=1)
        starts = np.concatenate(([0], np.cumsum(counts[kept], dtype=np.int64)))
        return type(self)(tuple(self.symbols[k] for k in kept), starts, bars)

    @property
    def size(self) -> int:
        """How many bars there are."""
        return int(self.starts[-1])

    def __len__(self) -> int:
        """Count the symbols."""
        return len(self.symbols)

    def __iter__(self) -> Iterator[Symbol]:
        """Give the symbols."""
        return iter(self.symbols)

    def __getitem__(self, symbol: Symbol) -> BarColumns:
        """Give a copy of one symbol's bars."""
        return BarColumns.trusted(self.bars[:, self.rows(symbol)].astype(np.int64))

    @cached_property
    def places(self) -> Mapping[Symbol, int]:
        """Where each symbol stands among the symbols."""
        return {symbol: k for k, symbol in enumerate(self.symbols)}

    @cached_property
    def last_day(self) -> int:
        """The last day of all, as an ordinal; 0 without bars."""
        return int(self.bars[0].max(initial=0))

    def rows(self, symbol: Symbol) -> slice:
        """Give where the symbol's bars stand."""
        k = self.places[symbol]
        return slice(int(self.starts[k]), int(self.starts[k + 1]))


def narrowest(columns: Iterable[npt.NDArray[np.integer[Any]]]) -> type[np.int32 | np.int64]:
    """Give the narrower of both kinds that every figure fits."""
    most = np.iinfo(np.int32).max
    fit = all(not len(values) or 0 <= values.min() <= values.max() <= most for values in columns)
    return np.int32 if fit else np.int64
