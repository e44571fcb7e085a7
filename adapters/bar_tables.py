"""This is a table of daily bars as a file gives it, looked through for what cannot be, and taken apart by symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.errors import BadInput, InvalidSymbol
from trading.instruments import Symbol

type Integers = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.bool_]

FIGURES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class BarTable:
    """Rows of one file: `codes` are places in `names`, `columns` the day as an ordinal and then `FIGURES`.

    `first_row` is how the file counts its first one.
    """

    file: str
    names: Sequence[str]
    codes: npt.NDArray[np.integer]
    columns: tuple[Integers, ...]
    first_row: int

    def split(self) -> dict[Symbol, tuple[Integers, ...]]:
        """Give the bars that traded by symbol, oldest first.

        Raises:
            BadInput: for what is no symbol, a day twice or before the one above, a price that is none.
        """
        symbols = [self._symbol(code) for code in range(len(self.names))]
        self._require_prices()
        order = np.argsort(self.codes, kind="stable")
        codes = self.codes[order]
        self._require_order(order, codes)
        kept = order[self._traded()[order]]
        edges = np.searchsorted(self.codes[kept], np.arange(len(symbols) + 1))
        columns = [column[kept] for column in self.columns]
        return {
            symbol: tuple(column[edges[code] : edges[code + 1]] for column in columns)
            for code, symbol in enumerate(symbols)
        }

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
        self, wrong: Flags, name: str, column: Integers, expected: str = "above 0"
    ) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            raise self._fault(row, name, int(column[row]), expected)

    def _require_order(self, order: Integers, codes: npt.NDArray[np.integer]) -> None:
        days = self.columns[0][order]
        wrong = (np.diff(days) <= 0) & (np.diff(codes) == 0)
        if not wrong.any():
            return
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
        return BadInput(f"{self.file} row {row + self.first_row}: {column}", value, expected)


def _iso(day: np.int64) -> str:
    return date.fromordinal(int(day)).isoformat()
