"""This is at which price something is traded by convention: levels within a bar, slippage, grid and limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from backtest.options import BacktestOptions, MarketRules
from strategies.exits import ExitLevels
from trading.bars import Bar
from trading.instruments import Instrument
from trading.krx import NO_LIMITS, PriceLimits, price_limits, round_price
from trading.matching import is_locked
from trading.orders import Side

ANY_PRICE: Final = PriceLimits(lower=1, upper=2**62)
"""Without the exchange's rules; a price may be in parts of a won, and so beyond what the exchange knows."""

type Grid = Callable[[int, Side], int]
"""Gives the first price on the grid at or beyond one: below for BUY, above for SELL."""


def reached_price(levels: ExitLevels, bar: Bar, grid: Grid, *, is_late: bool = False) -> int | None:
    """Give the first price of the bar that reaches a level, None when none does; the low comes before the high.

    A position that is bought `is_late`, after the opening, cannot have been left at the opening or at the high.
    """
    if not is_late and levels.reached(bar.open):
        return bar.open
    if levels.stop is not None and bar.low <= levels.stop:
        return max(bar.low, grid(levels.stop, Side.BUY))
    if levels.target is not None and not is_late and bar.high >= levels.target:
        return min(bar.high, grid(levels.target, Side.SELL))
    return None


def grid_of(instrument: Instrument, on: date) -> Grid:
    """Give the exchange's grid of a day."""

    def on_grid(price: int, towards: Side) -> int:
        return round_price(price, towards, on=on, market=instrument.market, kind=instrument.kind)

    return on_grid


@dataclass(frozen=True, slots=True)
class DayPrices:
    """What one symbol may be traded at on one day; `base` is its last close before, None on its first day."""

    instrument: Instrument
    options: BacktestOptions
    day: date
    base: int | None

    @property
    def grid(self) -> Grid:
        """The exchange's grid, or every price."""
        if self.options.market is MarketRules.KRX:
            return grid_of(self.instrument, self.day)
        return lambda price, _: price

    @property
    def limits(self) -> PriceLimits:
        """The day's limits, none where the exchange's rules do not count."""
        if self.options.market is MarketRules.NONE:
            return ANY_PRICE
        if self.base is None:
            return NO_LIMITS
        market, kind = self.instrument.market, self.instrument.kind
        return price_limits(self.base, on=self.day, market=market, kind=kind)

    def is_open(self, side: Side, bar: Bar) -> bool:
        """Tell whether anybody takes the other side; nobody does all day long at the limit against it."""
        return self.options.market is MarketRules.NONE or not is_locked(side, bar, self.limits)

    def slipped(self, price: int, side: Side) -> int:
        """Give what is paid or got for `price`: worse by the slippage, on the grid and within the limits, never better."""
        if not self.options.slippage:
            return price
        part, whole = self.options.slippage.as_integer_ratio()
        if side is Side.BUY:
            paid = self.grid(-(-price * (whole + part) // whole), Side.SELL)
            return max(price, min(paid, self.limits.upper))
        got = self.grid(max(1, price * (whole - part) // whole), Side.BUY)
        return min(price, max(got, self.limits.lower))
