"""This is bars of many symbols as one table of whole numbers, so that a loop over them meets no object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from strategies.base import COLUMNS, BarColumns, Integers
from trading.errors import BadInput
from trading.instruments import Symbol

type Bits = npt.NDArray[np.uint8] | npt.NDArray[np.int8]
"""Decisions by row, or signs."""


@dataclass(frozen=True, eq=False)
class BarTable:
    """A row of `bars` for each of `COLUMNS`; symbol k has its columns from starts[k] up to starts[k + 1].

    Symbols rise, and each has at least one bar. Only bars that traded (see `BarColumns`).
    """

    symbols: tuple[Symbol, ...]
    starts: Integers
    bars: Integers

    @classmethod
    def of(cls, universe: Mapping[Symbol, BarColumns]) -> Self:
        """Copy columns into one table; symbols without bars are left out."""
        found = {symbol: universe[symbol] for symbol in sorted(universe) if len(universe[symbol])}
        starts = np.cumsum([0, *(len(columns) for columns in found.values())], dtype=np.int64)
        bars = np.empty((len(COLUMNS), starts[-1]), dtype=np.int64)
        for row, name in zip(bars, COLUMNS, strict=True):
            np.concatenate([getattr(each, name) for each in found.values()] or [row], out=row)
        return cls(tuple(found), starts, bars)

    def __len__(self) -> int:
        """Count the bars."""
        return int(self.starts[-1])

    @cached_property
    def places(self) -> Mapping[Symbol, int]:
        """Where each symbol stands among the symbols."""
        return {symbol: k for k, symbol in enumerate(self.symbols)}

    def columns(self, symbol: Symbol) -> BarColumns:
        """Give the bars of one symbol, without a copy.

        Raises:
            BadInput: for a symbol that has none.
        """
        return BarColumns.trusted(self.bars[:, self.rows(symbol)])

    def rows(self, symbol: Symbol) -> slice:
        """Give where the symbol's bars stand.

        Raises:
            BadInput: for a symbol that has none.
        """
        if symbol not in self.places:
            raise BadInput("symbol", symbol, "a symbol that has bars in the data")
        k = self.places[symbol]
        return slice(int(self.starts[k]), int(self.starts[k + 1]))
