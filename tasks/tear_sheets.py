"""This is a backtest made ready to be read: its page filled, its suspicions told, its costs varied, its index found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from adapters.reports.tear_sheets import CostRow, TearSheet
from adapters.wording import Wording
from backtest.channel_bars import bars_of
from backtest.options import CashSplit
from backtest.plans import ReplayPlan
from backtest.results import ReplayResult
from backtest.sensitivity import by_costs
from backtest.suspicions import Evidence, free_parameters, suspicions
from strategies.base import BarColumns
from strategies.settings import StrategySettings
from trading.indices import Benchmark
from trading.instruments import Symbol


def tear_sheet(
    plan: ReplayPlan,
    run: Callable[[ReplayPlan], ReplayResult],
    universe: Mapping[Symbol, BarColumns],
    wording: Wording,
    *,
    convention: str,
    benchmark: Benchmark | None = None,
) -> TearSheet:
    """Run the plan over `universe` with every cost factor, and fill the page."""
    asked = Asked(plan, convention, _cash(plan))
    result = run(plan)
    found = by_costs(run, plan, result)
    bars = {symbol: bars_of(symbol, universe[symbol]) for symbol in _traded(result)}
    metrics = result.metrics
    evidence = Evidence(
        equity=result.equity,
        executions=result.executions,
        bars=bars,
        parameters=free_parameters(plan.strategies),
        slippage=plan.options.slippage if plan.options else Decimal(0),
        profit_by_costs={
            factor: _final(asked, each) - asked.cash for factor, each in found.items()
        },
        probability=metrics.probabilistic_sharpe,
    )
    return TearSheet(
        title=", ".join(settings.id for settings in plan.strategies),
        first=plan.first,
        last=plan.last,
        facts=_facts(asked, wording),
        metrics={"final_equity": _final(asked, result), **asdict(metrics)},
        equity=result.equity,
        invested=result.invested,
        executions=result.executions,
        bars=bars,
        names={symbol: plan.instrument(symbol).name for symbol in bars},
        suspicions=[
            wording.text(f"suspicion.{each.kind}", **each.figures) for each in suspicions(evidence)
        ],
        costs=[_cost_row(asked, factor, each) for factor, each in sorted(found.items())],
        benchmark=benchmark,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page says was asked, from how many won in all accounts."""

    plan: ReplayPlan
    convention: str
    cash: int


def _cash(plan: ReplayPlan) -> int:
    """Give what all accounts began with."""
    is_split = plan.options is not None and plan.options.cash_split is CashSplit.EACH
    return plan.cash * (len(plan.symbols) if is_split else 1)


def _traded(result: ReplayResult) -> list[Symbol]:
    return sorted({execution.symbol for execution in result.executions})


def _final(asked: Asked, result: ReplayResult) -> int:
    return result.equity[-1].closing if result.equity else asked.cash


def _cost_row(asked: Asked, factor: Decimal, result: ReplayResult) -> CostRow:
    metrics = result.metrics
    charges = metrics.commission + metrics.tax
    final = _final(asked, result)
    return CostRow(factor, final, metrics.total_return, metrics.sharpe, charges)


def _facts(asked: Asked, wording: Wording) -> list[tuple[str, str]]:
    """Say what was asked: each strategy with its parameters and exits, then cash and convention."""
    facts = [
        (settings.id, _listed({"kind": settings.kind} | _decided(settings)))
        for settings in asked.plan.strategies
    ]
    facts.append((wording.text("console.column.cash"), wording.won(asked.cash)))
    facts.append((wording.text("backtest.convention"), asked.convention))
    if asked.plan.options:
        options = {name: value for name, value in asdict(asked.plan.options).items() if value}
        facts.append((wording.text("backtest.options"), _listed(options)))
    return facts


def _decided(settings: StrategySettings) -> dict[str, Any]:
    return settings.strategy.model_dump() | settings.exits.model_dump()


def _listed(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in figures.items() if value is not None)
