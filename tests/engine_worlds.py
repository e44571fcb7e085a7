"""This is where tests of both engines get random markets and random options from, and both answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

import numpy as np

from backtest.conventions import plan_of, run_convention
from backtest.engine import run_engine
from backtest.engine_results import EngineResult
from backtest.options import (
    BacktestOptions,
    CashSplit,
    FillConvention,
    MarketRules,
    SizingKind,
)
from backtest.outcomes import Outcome, outcome_of
from strategies.base import BarColumns, Decisions, Strategy
from strategies.breakout import Breakout
from strategies.moving_average import MovingAverageCross
from strategies.rsi_reversal import RsiReversal
from tests.conventions import CALENDAR, trend
from trading.errors import BadInput
from trading.instruments import Instrument, InstrumentKind, Market, Symbol

DAYS: Final = CALENDAR.trading_days(date(2018, 12, 3), date(2019, 9, 30))
"""The dated tax changes in between."""
_MISSING: Final = 0.05
"""How many days of a symbol have no bar."""

_PRICES: Final = (3, 50, 5_000, 200_000, 3_000_000_000)
"""The last is in parts of a won: more than 2^31 of them."""
_LARGEST_TICK: Final = 1_000

type Answer = Outcome | str


class Coins(Strategy):
    """Enters and leaves by the last digits of the close, often both at once."""

    kind = "coins"

    @property
    def warm_up(self) -> int:
        return 3

    def evaluate(self, columns: BarColumns) -> Decisions:
        return Decisions(columns.close % 3 == 0, columns.close % 4 == 0)


def a_universe(random: Random, days: int) -> dict[Symbol, BarColumns]:
    """Give up to six symbols, some calm, some wild, some at prices of a few won, with days missing."""
    return {Symbol(f"{n:06d}"): _bars(random, days) for n in range(1, random.randint(2, 7))}


def _bars(random: Random, days: int) -> BarColumns:
    wildness, price = random.choice((0.01, 0.03, 0.08)), random.choice(_PRICES)
    busiest = random.choice((7, 7, 7, 10))  # digits: ten do not fit narrow columns
    rows: list[tuple[int, ...]] = []
    for day in DAYS[:days]:
        if rows and random.random() < _MISSING:
            continue
        opening = max(1, int(price * random.gauss(1, wildness / 3)))
        close = max(1, int(opening * random.gauss(1, wildness)))
        up, down = (int(abs(random.gauss(0, wildness)) * price) for _ in range(2))
        high, low = max(opening, close) + up, max(1, min(opening, close) - down)
        volume = random.randint(1, 10 ** random.randint(1, busiest))
        rows.append((day.toordinal(), opening, high, low, close, volume))
        price = close
    return BarColumns(*np.array(rows, dtype=np.int64).T)


def an_option_set(random: Random) -> BacktestOptions:
    """Give options of every kind that the fast engine knows."""
    sizing, split = random.choice(list(SizingKind)), random.choice(list(CashSplit))
    return BacktestOptions(
        fill=random.choice(list(FillConvention)),
        stop_loss=random.choice((None, Decimal("0.05"), Decimal("0.013"))),
        take_profit=random.choice((None, Decimal("0.1"), Decimal("0.021"))),
        commission_rate=random.choice((Decimal(0), Decimal("0.000140527"), Decimal("0.00015"))),
        tax_rate=random.choice((None, None, Decimal(0), Decimal("0.002"))),
        slippage=random.choice((Decimal(0), Decimal(0), Decimal("0.001"), Decimal("0.0203"))),
        participation=random.choice((None, None, Decimal("0.1"), Decimal("0.003"))),
        cash=random.choice((100_000, 10_000_000, 100_000_000)),
        cash_split=split,
        sizing=sizing,
        quantity=random.choice((1, 10, 1_000)) if sizing is SizingKind.QUANTITY else None,
        weight=random.choice((Decimal("0.05"), Decimal("0.3"), Decimal(1)))
        if sizing is SizingKind.WEIGHT
        else None,
        maximum_holdings=random.choice((None, 1, 3)) if split is CashSplit.SHARED else None,
        market=MarketRules.NONE,
        price_scale=random.choice((1, 1, 100)),
    )


def a_strategy(random: Random) -> Strategy:
    """Give one of each kind that the fast engine knows, with short windows, or what no average decides."""
    slow = random.randint(2, 12)
    match random.randrange(6):
        case 0 | 1:
            return Coins()
        case 2:
            return RsiReversal(window=random.randint(2, 6), level=45, leave=55, trend=None)
        case 3:
            return Breakout(window=3, width=Decimal("0.3"), range_window=3, trail=Decimal("1.2"))
    return MovingAverageCross(
        fast=random.randint(1, slow - 1),
        slow=slow,
        volume_window=random.randint(1, 20),
        volume_ratio=random.choice((None, Decimal(1), Decimal("0.7"))),
    )


def some_instruments(
    random: Random, universe: Mapping[Symbol, BarColumns]
) -> dict[Symbol, Instrument]:
    """Give each symbol a market, and now and then make it a fund, which pays no tax and costs at least a tick."""
    return {
        symbol: Instrument(
            symbol,
            symbol,
            random.choice((Market.KOSPI, Market.KOSDAQ)),
            InstrumentKind.ETF
            if columns.low.min() > _LARGEST_TICK and random.random() < 0.3
            else InstrumentKind.STOCK,
        )
        for symbol, columns in universe.items()
    }


def both(
    universe: Mapping[Symbol, BarColumns],
    strategy: Strategy,
    options: BacktestOptions,
    *,
    first: date = DAYS[0],
    last: date = DAYS[-1],
    instruments: Mapping[Symbol, Instrument],
) -> tuple[Answer, Answer]:
    """Ask the fast engine and the replay; what they refuse is their sentence."""
    plan = plan_of(
        options,
        trend(*universe).run_by(strategy),
        first=first,
        last=last,
        instruments=instruments,
    )
    return (
        _answer(
            lambda: _outcome(
                run_engine(
                    universe, strategy, options, first=first, last=last, instruments=instruments
                )
            )
        ),
        _answer(lambda: outcome_of(run_convention(universe, plan, CALENDAR))),
    )


def _outcome(result: EngineResult) -> Outcome:
    outcome = result.outcome()
    assert not outcome.equity or outcome.equity[-1][1] == result.worth.sum()
    return outcome


def _answer(ask: Callable[[], Outcome]) -> Answer:
    try:
        return ask()
    except BadInput as refusal:
        return str(refusal)
