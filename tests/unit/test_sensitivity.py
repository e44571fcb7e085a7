"""Other costs change what is left, and never what was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from backtest.conventions import run_convention
from backtest.options import CashSplit
from backtest.plans import ReplayPlan
from backtest.results import ReplayResult
from backtest.sensitivity import FACTORS, by_costs, with_costs
from tests.sweep_worlds import CALENDAR, OPTIONS, UNIVERSE, a_question
from trading.costs import CostSchedule
from trading.instruments import InstrumentKind, Market
from trading.orders import Side

OPTIONS_WITH_SLIPPAGE = replace(
    OPTIONS, slippage=Decimal("0.001"), cash_split=CashSplit.EACH
)  # in a shared account what is left decides who comes next
PLAN = a_question(options=OPTIONS_WITH_SLIPPAGE).plan


def run(plan: ReplayPlan) -> ReplayResult:
    """Trade the plan on the two symbols that wander."""
    return run_convention(UNIVERSE, plan, CALENDAR)


RESULTS = by_costs(run, PLAN, run(PLAN))


def test_every_factor_is_tried_and_the_known_result_is_kept() -> None:
    assert tuple(RESULTS) == FACTORS == tuple(map(Decimal, ("0.5", "1", "2", "3")))
    assert RESULTS[Decimal(1)] == run(PLAN)


def test_the_same_is_decided_at_every_cost() -> None:
    signals = [
        [(s.trading_day, s.symbol, s.direction) for s in found.signals]
        for found in RESULTS.values()
    ]
    assert signals[0]
    assert all(each == signals[0] for each in signals)


def test_more_costs_leave_less() -> None:
    left = [found.equity[-1].closing for found in RESULTS.values()]
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == len(FACTORS)


@pytest.mark.parametrize("factor", FACTORS)
def test_commission_dated_tax_and_slippage_are_all_multiplied(factor: Decimal) -> None:
    plan = with_costs(PLAN, factor)
    assert plan.options is not None
    assert plan.options.slippage == Decimal("0.001") * factor
    charges = plan.costs.charges_on(
        10_000_000,
        Side.SELL,
        market=Market.KOSPI,
        kind=InstrumentKind.STOCK,
        settles_on=date(2018, 5, 2),
    )
    # 0.015 % commission; 0.15 % securities and 0.15 % rural tax of 2018
    assert charges.commission == int(1_500 * factor)
    assert charges.tax == int(30_000 * factor)


def test_a_tax_of_ones_own_is_multiplied_once() -> None:
    schedule = CostSchedule(Decimal("0.001"), tax_rate=Decimal("0.002")).times(Decimal(2))
    charges = schedule.charges_on(
        1_000_000,
        Side.SELL,
        market=Market.KOSDAQ,
        kind=InstrumentKind.STOCK,
        settles_on=date(2018, 5, 2),
    )
    assert (charges.commission, charges.tax) == (2_000, 4_000)


def test_a_factor_whose_rates_would_be_impossible_is_left_out() -> None:
    dear = a_question(options=replace(OPTIONS, slippage=Decimal("0.02"))).plan  # times 3: 6 %
    found = by_costs(run, dear, run(dear))
    assert tuple(found) == (Decimal("0.5"), Decimal(1), Decimal(2))


def test_factors_multiply_each_other() -> None:
    twice = CostSchedule().times(Decimal(2)).times(Decimal("1.5"))
    assert twice == CostSchedule().times(Decimal(3))
