"""This is what other costs would have left: the same decisions traded again with all costs multiplied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Final

from backtest.plans import ReplayPlan
from trading.errors import BadInput

FACTORS: Final = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(3))


def with_costs(plan: ReplayPlan, factor: Decimal) -> ReplayPlan:
    """Give the plan with commission, tax and slippage times `factor`. What decides, and at which close, stays.

    Sizes follow the money that is left, as they would have.

    Raises:
        BadInput: for rates that become impossible.
    """
    options = plan.options and replace(
        plan.options,
        commission_rate=plan.options.commission_rate * factor,
        tax_rate=None if plan.options.tax_rate is None else plan.options.tax_rate * factor,
        slippage=plan.options.slippage * factor,
    )
    return replace(plan, costs=plan.costs.times(factor), options=options)


def by_costs[Result](
    run: Callable[[ReplayPlan], Result], plan: ReplayPlan, known: Result
) -> Mapping[Decimal, Result]:
    """Run the plan with every factor but 1, whose result is `known`; what would make a rate impossible is left out."""
    plans: dict[Decimal, ReplayPlan] = {}
    for factor in FACTORS:
        with suppress(BadInput):
            plans[factor] = with_costs(plan, factor)
    return {factor: known if factor == 1 else run(other) for factor, other in plans.items()}
