"""This is a universe as of each day: bars outside a listing are no bars, and what is delisted is closed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from backtest.plans import ReplayPlan
from backtest.tables import BarTable
from strategies.base import COLUMNS, BarColumns, has_traded
from trading.bars import Bar
from trading.errors import NotSupported
from trading.instruments import Instrument, Listing, Symbol

type Listings = Mapping[Symbol, Listing]


def delistings(instruments: Mapping[Symbol, Instrument]) -> dict[Symbol, Listing]:
    """Give when symbols are delisted.

    When they came is told by their bars: a listing day is that of a board, and who moved traded on another before.
    """
    known = {symbol: each.delisted_on for symbol, each in instruments.items()}
    return {symbol: Listing(delisted_on=day) for symbol, day in known.items() if day}


def listed_columns(
    universe: Mapping[Symbol, BarColumns], listings: Listings
) -> Mapping[Symbol, BarColumns]:
    """Give the daily bars of the days on which each symbol was listed; symbols without any are left out."""
    if isinstance(universe, BarTable) and not listings:
        return universe
    cut = {s: _cut(bars, listings[s]) if s in listings else bars for s, bars in universe.items()}
    return {symbol: bars for symbol, bars in cut.items() if len(bars)}


def listed_bars(
    bars: Mapping[Symbol, Sequence[Bar]], listings: Listings
) -> dict[Symbol, Sequence[Bar]]:
    """Give the same of bars one by one; every symbol stays."""
    return {
        symbol: [bar for bar in each if listings[symbol].holds(bar.trading_day)]
        if symbol in listings
        else each
        for symbol, each in bars.items()
    }


def last_days(plan: ReplayPlan, bars: Mapping[Symbol, Sequence[Bar]]) -> dict[Symbol, date]:
    """Give the last day on which each symbol that is delisted within the plan traded."""
    traded = {
        symbol: [bar.trading_day for bar in bars[symbol] if has_traded(bar)]
        for symbol in plan.symbols
        if ends_within(plan, symbol)
    }
    return {symbol: days[-1] for symbol, days in traded.items() if days}


def require_no_delisting(plan: ReplayPlan) -> None:
    """Check that nothing has to be closed out.

    Raises:
        NotSupported: naming the first symbol that is delisted within the plan.
    """
    ending = next((symbol for symbol in plan.symbols if ends_within(plan, symbol)), None)
    if ending is not None:
        value = f"{ending} delisted_on={plan.listings[ending].delisted_on}"
        raise NotSupported("listings", value, "nothing delisted with the fast engine; take exact")


def ends_within(plan: ReplayPlan, symbol: Symbol) -> bool:
    """Tell whether a symbol is delisted by the plan's last day; on it nobody knows of later ones."""
    listing = plan.listings.get(symbol)
    return (
        listing is not None and listing.delisted_on is not None and listing.delisted_on <= plan.last
    )


def _cut(bars: BarColumns, listing: Listing) -> BarColumns:
    bounds = [
        (listing.listed_on or date.min).toordinal(),
        (listing.delisted_on or date.max).toordinal(),
    ]
    first, end = np.searchsorted(bars.days, bounds)
    return BarColumns.trusted(getattr(bars, name)[first:end] for name in COLUMNS)
