"""This is what a backtest assumes, as the whole numbers that the fast engine counts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import numpy as np

from backtest.figures import Terms
from backtest.kernels import NEXT_CLOSE, NEXT_OPEN, SIGNAL_CLOSE
from backtest.options import BacktestOptions, FillConvention, MarketRules
from strategies.base import Integers
from trading.costs import SELL_TAX
from trading.errors import NotSupported
from trading.instruments import Instrument, InstrumentKind, Market, Symbol

type Fraction = tuple[int, int]

_FILLS: Final = {
    FillConvention.NEXT_OPEN: NEXT_OPEN,
    FillConvention.SIGNAL_CLOSE: SIGNAL_CLOSE,
    FillConvention.NEXT_CLOSE: NEXT_CLOSE,
}
_LARGEST: Final = 2**62
_ABSENT: Final[Fraction] = (0, 0)
_DATED_OVER: Final = 100_000
"""The parts of the dated tax are so many parts of one."""


@cache
def terms_of(options: BacktestOptions) -> Terms:
    """Turn options into whole numbers.

    Raises:
        NotSupported: naming an option that only the exact engine knows: the exchange's rules, or a rate with so
            many digits that its products do not fit into 64 bits.
    """
    if options.market is not MarketRules.NONE:
        raise NotSupported("market", options.market.value, "none with the fast engine")
    stop, profit, scale = options.stop_loss, options.take_profit, options.price_scale
    tax = (
        (0, _DATED_OVER) if options.tax_rate is None else _part("tax_rate", options.tax_rate, scale)
    )
    return Terms(
        _FILLS[options.fill],
        options.cash * scale,
        options.quantity or 0,
        options.maximum_holdings or _LARGEST,
        *_part("stop_loss", None if stop is None else 1 - stop),
        *_part("take_profit", None if profit is None else 1 + profit),
        *_part("commission_rate", options.commission_rate, scale),
        *_part("slippage", options.slippage),
        *_part("participation", options.participation),
        *_part("weight", options.weight),
        tax[1],
        scale,
    )


def _part(name: str, rate: Decimal | None, scale: int = 1) -> Fraction:
    if rate is None:
        return _ABSENT
    numerator, denominator = rate.as_integer_ratio()
    if numerator * denominator * scale >= _LARGEST:
        raise NotSupported(name, rate, "fewer digits with the fast engine")
    return numerator, denominator


def taxes_of(
    options: BacktestOptions, symbols: Sequence[Symbol], instruments: Mapping[Symbol, Instrument]
) -> Integers:
    """Give each symbol's rows of (first day, one part of the sell tax, other part), by days.

    Without the exchange's rules a trade settles on its own day.
    """
    if options.tax_rate is not None:
        flat = (0, options.tax_rate.as_integer_ratio()[0], 0)
        return np.full((len(symbols), 1, 3), flat, dtype=np.int64)
    known = (instruments.get(symbol, Instrument(symbol, symbol)) for symbol in symbols)
    return np.array([_DATED[each.market, each.kind] for each in known], dtype=np.int64)


def _dated(market: Market, kind: InstrumentKind) -> list[tuple[int, int, int]]:
    """Give as many rows for each market; those in front of the first rate are of no tax."""
    rows = [
        (since.toordinal(), int(each.securities * _DATED_OVER), int(each.rural * _DATED_OVER))
        for since, each in SELL_TAX[market]
    ]
    taxed = rows if kind is InstrumentKind.STOCK else []
    return [(0, 0, 0)] * (1 + max(map(len, SELL_TAX.values())) - len(taxed)) + taxed


_DATED: Final = {(m, kind): _dated(m, kind) for m in Market for kind in InstrumentKind}
