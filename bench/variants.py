"""This is the work of variants A to D, told without anything that a measurement of memory would count with it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import islice, product
from typing import Final

from backtest.options import BacktestOptions, CashSplit, SizingKind, convention
from strategies.moving_average import MovingAverageCross

KRX_DAILY: Final = convention("krx-daily") or BacktestOptions()
ONE_CASH: Final = replace(
    KRX_DAILY,
    cash=100_000_000,
    cash_split=CashSplit.SHARED,
    sizing=SizingKind.WEIGHT,
    weight=Decimal("0.05"),
    maximum_holdings=20,
)
CROSS: Final = MovingAverageCross(fast=20, slow=60)
PAIRS: Final = tuple(islice(((f, s) for f, s in product(range(5, 45), range(50, 150, 4))), 1_000))
SYMBOLS: Final = 2_800
PAIR_SYMBOLS: Final = 100
