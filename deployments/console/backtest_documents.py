"""This is what a backtest found out, for programs and for people, whichever engine ran it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from backtest.options import BacktestOptions, CashSplit
from backtest.outcomes import (
    Outcome,
    executions_of,
    invested_of,
    outcome_of,
    points_of,
)
from backtest.results import Metrics, ReplayResult, metrics_of
from backtest.round_trips import UNKNOWN, RoundTrip, round_trips
from deployments.console.origins import Origin
from deployments.console.rows import FILLS, Names, fill_row, order_row, rounded
from deployments.console.speech import say
from deployments.console.tables import Column, paper, print_facts, print_table
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.orders import Order

METRICS: Final = (
    Column("days", "count"),
    Column("final_equity", "won"),
    Column("total_return", "signed_percent"),
    Column("cagr", "signed_percent"),
    Column("max_drawdown", "percent"),
    Column("volatility", "percent"),
    Column("sharpe"),
    Column("probabilistic_sharpe", "percent"),
    Column("sortino"),
    Column("calmar"),
    Column("trades", "count"),
    Column("win_rate", "percent"),
    Column("profit_factor"),
    Column("exposure", "percent"),
    Column("turnover"),
    Column("commission", "won"),
    Column("tax", "won"),
    Column("denied", "count"),
)
PLACES: Final = 6
"""Of rates and ratios."""
MOST_FILLS: Final = 200
"""More are for programs only."""
NAMELESS: Final[Names] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """The same of both engines. `digest` is the fingerprint of the outcome, `orders` are those that the exact one made."""

    executions: Sequence[Execution]
    equity: Sequence[EquityPoint]
    metrics: Metrics
    digest: str
    orders: Sequence[Order] = ()
    triggers: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    @classmethod
    def by_replay(cls, result: ReplayResult) -> Found:
        """Take what the exact engine found."""
        signals = {signal.signal_id: signal.trigger for signal in result.signals}
        triggers = {o.client_order_id: signals.get(o.intent.signal_id, "") for o in result.orders}
        digest = outcome_of(result).digest
        return cls(
            result.executions, result.equity, result.metrics, digest, result.orders, triggers
        )

    @classmethod
    def by_engine(cls, outcome: Outcome, strategy_id: str, cash: int) -> Found:
        """Take what the fast engine found; `cash` is what all accounts began with."""
        executions, points = executions_of(outcome, strategy_id), points_of(outcome, cash)
        metrics = metrics_of(points, invested_of(outcome, cash), executions)
        return cls(executions, points, metrics, outcome.digest)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: who traded what, when, how."""

    engine: str
    convention: str
    options: BacktestOptions | None
    strategies: Sequence[str]
    symbols: int
    first: date
    last: date
    cash: int
    data: Origin
    names: Names = field(default_factory=lambda: NAMELESS)


def total_cash(options: BacktestOptions, symbols: int) -> int:
    """Give what all accounts begin with, in won times the price scale."""
    accounts = symbols if options.cash_split is CashSplit.EACH else 1
    return options.cash * options.price_scale * accounts


def document_of(asked: Asked, found: Found) -> dict[str, Any]:
    """Tell everything; the names are what programs read and never change."""
    fills = [{"trading_day": e.trading_day, **fill_row(e, asked.names)} for e in found.executions]
    return {
        "engine": asked.engine,
        "convention": asked.convention,
        "options": asdict(asked.options) if asked.options else None,
        "strategies": list(asked.strategies),
        "symbols": asked.symbols,
        "from": asked.first,
        "to": asked.last,
        "cash": asked.cash,
        "data": asked.data.document(),
        "metrics": _metrics(asked, found),
        "trades": [_trade(t) for t in round_trips(found.executions, found.triggers)],
        "fills": fills,
        "orders": [order_row(order, asked.names) for order in found.orders],
        "equity": list(map(_point, found.equity)),
        "sha256": found.digest,
    }


def print_backtest(document: Mapping[str, Any]) -> None:
    """Show fills and metrics to people."""
    title = say("title.backtest", strategies=", ".join(document["strategies"]))
    fills = document["fills"]
    if len(fills) <= MOST_FILLS:
        is_named = any(fill["name"] for fill in fills)
        columns = [each for each in FILLS[1:] if is_named or each.name != "name"]
        print_table(say("title.backtest_fills"), (Column("trading_day"), *columns), fills)
    else:
        paper().print(say("backtest.many_fills", count=len(fills)))
    print_facts(f"{title} {document['from']} ~ {document['to']}", METRICS, document["metrics"])


def _metrics(asked: Asked, found: Found) -> dict[str, Any]:
    final = found.equity[-1].closing if found.equity else asked.cash
    figures = {"final_equity": final, **asdict(found.metrics)}
    return {
        name: round(value, PLACES) if isinstance(value, Decimal) else value
        for name, value in figures.items()
    }


def _point(point: EquityPoint) -> dict[str, Any]:
    """Tell a point as `asdict` would, which takes fifteen times as long for thousands of them."""
    return {
        "trading_day": point.trading_day,
        "opening": point.opening,
        "closing": point.closing,
        "paid_in": point.paid_in,
    }


def _trade(trip: RoundTrip) -> dict[str, Any]:
    return {
        "strategy_id": trip.strategy_id,
        "symbol": trip.symbol,
        "entered_on": trip.entered_on,
        "entry_price": rounded(trip.entry_price),
        "quantity": trip.bought,
        "left_on": trip.left_on,
        "exit_price": rounded(trip.exit_price),
        "trigger": trip.trigger,
        "commission": trip.commission,
        "tax": trip.tax,
        "result": trip.result,
    }
