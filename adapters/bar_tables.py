"""This is a table of daily bars as a file gives it, looked through for what cannot be, and taken apart by symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trading.errors import BadInput, InvalidSymbol
from trading.instruments import Symbol

type Integers = npt.NDArray[np.int64]
type Figures = npt.NDArray[np.int32 | np.int64]
"""As narrow as they fit: a market of ten years is large, and is read whole."""
type Flags = npt.NDArray[np.bool_]

_ROOM: Final = 2**22
"""Rows that a column begins with."""
FIGURES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class SortedBars:
    """A row of `bars` for the days and each of `FIGURES`; symbol k has its columns from starts[k] up to starts[k + 1].

    Symbols rise, and so do the days of each. One of which nothing traded has no columns.
    """

    symbols: tuple[Symbol, ...]
    starts: Integers
    bars: Figures


@dataclass(frozen=True, slots=True, eq=False)
class BarTable:
    """Rows of one file: `codes` are places in `names`, `columns` the day as an ordinal and then `FIGURES`.

    `rows` is how the file counts them. `names` rise.
    """

    file: str
    names: Sequence[str]
    codes: Figures
    columns: list[Figures]
    rows: Sequence[int] | Figures

    def sorted(self) -> SortedBars:
        """Give the bars that traded by symbol, oldest first; this table is empty then, or it would take twice the room.

        Raises:
            BadInput: for what is no symbol, a day twice or before the one above, a price that is none.
        """
        symbols = tuple(self._symbol(code) for code in range(len(self.names)))
        self._require_prices()
        order = None if (np.diff(self.codes) >= 0).all() else np.argsort(self.codes, kind="stable")
        self._require_order(order)
        kept = self._kept(order)
        codes = _taken(self.codes, kept)
        starts = np.searchsorted(codes, np.arange(len(symbols) + 1)).astype(np.int64)
        kind = np.result_type(*self.columns)
        bars: Figures = np.empty((len(self.columns), len(codes)), dtype=kind)
        for row in bars[::-1]:
            row[:] = _taken(self.columns.pop(), kept)
        return SortedBars(symbols, starts, bars)

    def _symbol(self, code: int) -> Symbol:
        try:
            return Symbol(self.names[code])
        except InvalidSymbol as error:
            row = int((self.codes == code).argmax())
            raise self._fault(row, "symbol", self.names[code], error.expected) from None

    def _require_prices(self) -> None:
        """Refuse prices of zero or less, but for a row without any: a halted day has none."""
        _, opened, high, low, *_ = self.columns
        is_halted = (opened == 0) & (high == 0) & (low == 0)
        for name, column in zip(FIGURES, self.columns[1:], strict=True):
            least = 0 if name == "volume" else 1
            self._refuse_first((column < least) & ~(is_halted & (column == 0)), name, column)
        self._refuse_first((high < low) & ~is_halted, "high", high, "at least the low")

    def _refuse_first(
        self, wrong: Flags, name: str, column: Figures, expected: str = "above 0"
    ) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            raise self._fault(row, name, int(column[row]), expected)

    def _kept(self, order: Integers | None) -> Integers | None:
        """Give the places of what traded, in order; None for all as they stand."""
        traded = self._traded()
        if order is not None:
            return order[traded[order]]
        return None if traded.all() else np.flatnonzero(traded)

    def _require_order(self, given: Integers | None) -> None:
        days, codes = _taken(self.columns[0], given), _taken(self.codes, given)
        wrong = (np.diff(days) <= 0) & (np.diff(codes) == 0)
        if not wrong.any():
            return
        order = np.arange(len(codes)) if given is None else given
        place = int(wrong.argmax()) + 1
        symbol, day = self.names[int(codes[place])], _iso(days[place])
        if days[place] == days[place - 1]:
            raise self._fault(
                int(order[place]), "date", f"{symbol} {day}", "one row for each symbol and day"
            )
        expected = f"rising days of {symbol}, after {_iso(days[place - 1])}"
        raise self._fault(int(order[place]), "date", day, expected)

    def _traded(self) -> Flags:
        """Tell which rows have prices made by trades of the session (see `strategies.base.has_traded`)."""
        *prices, volume = self.columns[1:]
        has_price = np.logical_and.reduce([column > 0 for column in prices])
        return np.asarray((volume > 0) & has_price)

    def _fault(self, row: int, column: str, value: object, expected: str) -> BadInput:
        return BadInput(f"{self.file} row {self.rows[row]}: {column}", value, expected)


class GrowingColumn:
    """A column that is read in parts, in one piece of memory that grows: many small ones would never be given back."""

    def __init__(self) -> None:
        """Reserve room, of which nothing is taken before something stands there."""
        self._values: Figures = np.empty(_ROOM, dtype=np.int32)
        self._count = 0

    def add(self, values: npt.NDArray[np.integer[Any]]) -> None:
        """Add a part; all becomes wide with the first figure that needs it."""
        part, end = narrow(values), self._count + len(values)
        if part.dtype != np.int32:
            self._values = self._values[: self._count].astype(np.int64, copy=False)
        if end > len(self._values):
            self._values.resize(2 * end, refcheck=False)
        self._values[self._count : end] = part
        self._count = end

    def whole(self) -> Figures:
        """Give what was added; the column is at its end then."""
        self._values.resize(self._count, refcheck=False)
        return self._values


def narrow(values: npt.NDArray[np.integer[Any]]) -> Figures:
    """Give whole numbers in the narrower of both kinds that they fit."""
    limit = np.iinfo(np.int32)
    fit = not len(values) or limit.min <= values.min() <= values.max() <= limit.max
    return values.astype(np.int32 if fit else np.int64)


def _taken(values: Figures, places: Integers | None) -> Figures:
    return values if places is None else values[places]


def _iso(day: np.integer[Any]) -> str:
    return date.fromordinal(int(day)).isoformat()
