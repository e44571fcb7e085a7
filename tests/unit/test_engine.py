"""This is the test of the fast engine by hand: what bars lead to, what it refuses, what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from backtest.engine import run_engine
from backtest.options import BacktestOptions, CashSplit, MarketRules, SizingKind, convention
from backtest.tables import BarTable
from strategies.base import BarColumns, Decisions, Strategy
from strategies.moving_average import MovingAverageCross
from strategies.opening_range import OpeningRangeBreakout
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG
from tests.conventions import RISE, columns_of, flat, told, trend
from tests.engine_worlds import both
from trading.errors import BadInput, NotSupported
from trading.instruments import Symbol

KRX_DAILY = convention("krx-daily") or BacktestOptions()
TREND = trend(LG_CHEM).strategy
SHARED = replace(
    KRX_DAILY,
    cash=100_000_000,
    cash_split=CashSplit.SHARED,
    sizing=SizingKind.WEIGHT,
    weight=Decimal("0.05"),
    maximum_holdings=20,
)


class Weights(Strategy):
    """Wants half of everything."""

    kind = "weights"

    @property
    def warm_up(self) -> int:
        return 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        return Decisions.of_weight(np.full(len(columns), 0.5), {})


def test_krx_daily_counts_as_it_is_written_down() -> None:
    # 1,000 shares at 10,000 leave nothing for the commission; 999 cost 9,990,000 won and
    # floor(9,990,000 * 140,527 / 10^9) = 1,403. The next low is the stop, 9,500: 9,490,500 won, of which the
    # commission is 1,333 and the tax 18,981.
    bars = [*RISE, (10_000, 10_150, 10_000, 10_150), (9_900, 11_500, 9_500, 9_900)]
    result = run_engine({LG_CHEM: columns_of(bars)}, TREND, KRX_DAILY)

    bought, sold = result.outcome().fills
    assert (*told(bought), bought.commission, bought.tax) == (0, "buy", 999, 10_000, 1_403, 0)
    assert (*told(sold), sold.commission, sold.tax) == (1, "sell", 999, 9_500, 1_333, 18_981)
    assert result.cash.tolist() == [8_597 + 9_470_186]
    assert result.outcome().equity[-1][1] == result.cash[0]


def test_one_cash_buys_for_a_twentieth_of_the_equity_in_order_of_symbols() -> None:
    # floor(100,000,000 * 5 / 100) = 5,000,000 each: 499 shares at 10,000 and 701 won of commission.
    bars = [*RISE, (10_000, 10_150, 10_000, 10_150)]
    universe = {symbol: columns_of(bars) for symbol in (LG_CHEM, HYUNDAI, SAMSUNG)}
    result = run_engine(universe, TREND, replace(SHARED, maximum_holdings=2))

    assert [(f.symbol, f.quantity) for f in result.outcome().fills] == [
        (HYUNDAI, 499),
        (SAMSUNG, 499),
    ]
    assert result.cash.tolist() == [100_000_000 - 2 * (4_990_000 + 701)]
    assert result.worth.tolist() == [100_000_000 + 2 * (499 * 10_150 - 4_990_000 - 701)]


def test_a_stop_frees_its_place_for_the_next_bar_only() -> None:
    # Samsung is stopped at the low of the bar at whose opening LG Chem would have been bought.
    stopped = [*RISE, (10_000, 10_150, 10_000, 10_150), (9_900, 10_200, 9_500, 10_160)]
    late = [flat(10_000), *RISE, flat(10_000)]
    one = replace(SHARED, maximum_holdings=1)
    result = run_engine({SAMSUNG: columns_of(stopped), LG_CHEM: columns_of(late)}, TREND, one)

    assert [(f.symbol, f.side.value, f.price) for f in result.outcome().fills] == [
        (SAMSUNG, "BUY", 10_000),
        (SAMSUNG, "SELL", 9_500),
    ]


REFUSED: dict[str, tuple[Strategy, dict[str, Any], str]] = {
    "the exchange's rules": (TREND, {"market": MarketRules.KRX}, "market='krx'"),
    "too many digits": (TREND, {"commission_rate": Decimal("0.0001405270311")}, "commission_rate="),
    "target weights": (Weights(), {}, "strategy='weights'"),
    "minute bars": (OpeningRangeBreakout(), {}, "strategy='opening_range_breakout'"),
}


@pytest.mark.parametrize(("strategy", "changes", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_it_does_not_know_is_refused_by_name(
    strategy: Strategy, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(NotSupported, match=told):
        run_engine({LG_CHEM: columns_of(RISE)}, strategy, replace(KRX_DAILY, **changes))


def test_bars_too_few_for_a_first_decision_are_refused() -> None:
    with pytest.raises(
        BadInput, match="bars=2: at least 3, for a first decision of moving_average_cross"
    ):
        run_engine({LG_CHEM: columns_of(RISE[:2])}, TREND, KRX_DAILY)


@pytest.mark.parametrize("split", CashSplit)
def test_a_sale_before_the_dated_tax_begins_is_refused_as_by_the_replay(split: CashSplit) -> None:
    days = np.arange(date(1996, 3, 25).toordinal(), date(1996, 4, 3).toordinal())
    close = np.array([10_000, 10_000, 10_100, 10_200, 10_100, 10_200, 10_300, 10_200, 10_100])
    rows = {LG_CHEM: BarColumns(days, close, close, close, close, close)}
    dated = replace(KRX_DAILY, tax_rate=None, cash_split=split)
    early, late = (
        both(rows, TREND, dated, first=first, last=date(1996, 4, 2), instruments={})
        for first in (date(1996, 3, 25), date(1996, 3, 30))
    )
    assert early == ("settles_on='1996-03-30': 1996-04-01 or later for KOSPI",) * 2
    assert late[0] == late[1]
    assert not isinstance(late[0], str)


def test_many_symbols_come_to_what_each_comes_to_alone() -> None:
    seed = 20_260_911
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    random = np.random.default_rng(seed)
    universe = {Symbol(f"{n:06d}"): _walk(random, 3_000) for n in range(50)}
    strategy = MovingAverageCross(fast=5, slow=20)
    together = run_engine(universe, strategy, KRX_DAILY)

    alone = [run_engine({s: universe[s]}, strategy, KRX_DAILY) for s in universe]
    assert together.cash.tolist() == [int(each.cash[0]) for each in alone]
    assert len(together.fills) == sum(len(each.fills) for each in alone) > 1_000
    curve = sum(each.equity[1] for each in alone)
    assert (together.equity[1] == curve).all()
    assert together.worth.tolist() == [int(each.equity[1][-1]) for each in alone]


class Ours(MovingAverageCross):
    """A cross of somebody else's name, whose decisions the loops do not make."""

    kind = "ours"


def test_a_strategy_that_builds_on_ours_decides_over_any_number_of_bars() -> None:
    random = np.random.default_rng(1)
    universe = {Symbol(f"{n:06d}"): _walk(random, 60_000) for n in range(2)}
    built, plain = (kind(fast=5, slow=20) for kind in (Ours, MovingAverageCross))
    found = run_engine(universe, built, KRX_DAILY).cash
    assert found.tolist() == run_engine(universe, plain, KRX_DAILY).cash.tolist()


def test_a_table_gives_back_the_columns_it_was_made_of() -> None:
    universe = {LG_CHEM: columns_of(RISE), SAMSUNG: columns_of([None, flat(9_000)])}
    table = BarTable.of({**universe, HYUNDAI: columns_of(RISE).first(0)})

    assert table.symbols == (SAMSUNG, LG_CHEM)
    assert (len(table), table.size) == (2, 4)
    assert table[LG_CHEM].close.tolist() == [10_000, 10_000, 10_100]
    assert HYUNDAI not in table


def test_a_table_is_as_narrow_as_its_figures_allow_and_a_strategy_always_sees_wide_ones() -> None:
    narrow = {LG_CHEM: columns_of(RISE)}
    wide = {**narrow, SAMSUNG: replace(columns_of(RISE), volume=np.full(3, 2**31))}
    tables = [BarTable.of(each) for each in (narrow, wide)]

    assert [table.bars.dtype for table in tables] == [np.int32, np.int64]
    assert [table[LG_CHEM].close.dtype for table in tables] == [np.int64] * 2
    assert tables[1][SAMSUNG].volume.tolist() == [2**31] * 3
    assert tables[1].only([LG_CHEM]).symbols == (LG_CHEM,)
    assert tables[1].only([LG_CHEM])[LG_CHEM].days.tolist() == narrow[LG_CHEM].days.tolist()


def _walk(random: np.random.Generator, count: int) -> BarColumns:
    """Give `count` days of prices that wander."""
    close = (10_000 * np.exp(np.cumsum(random.normal(0, 0.02, count)))).astype(np.int64) + 100
    opening = np.maximum((close * random.normal(1, 0.01, count)).astype(np.int64), 1)
    high, low = np.maximum(opening, close) + close // 100, np.minimum(opening, close) * 99 // 100
    days = np.arange(730_000, 730_000 + count)
    return BarColumns(days, opening, high, low, close, random.integers(1_000, 100_000, count))
