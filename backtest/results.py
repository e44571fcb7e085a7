"""This is what a replay found out: every decision and fill, the equity curve, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from backtest.statistics import moments, probabilistic_sharpe
from trading import performance
from trading.decisions import Breach
from trading.equity import EquityPoint, curve_returns
from trading.executions import Execution
from trading.ledger import Ledger
from trading.orders import Order, OrderStatus, Side
from trading.signals import Signal
from trading.trades import closed_trades


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of `trading.performance` over the active window; None where one has no meaning.

    `probabilistic_sharpe` is the probability that the true Sharpe ratio is above 0 (`backtest.statistics`).
    A trade is one strategy's way from nothing held to nothing held; its result is net of all charges.
    """

    days: int
    total_return: Decimal | None
    cagr: Decimal | None
    volatility: Decimal | None
    sharpe: Decimal | None
    probabilistic_sharpe: Decimal | None
    sortino: Decimal | None
    max_drawdown: Decimal | None
    calmar: Decimal | None
    exposure: Decimal | None
    turnover: Decimal | None
    trades: int
    win_rate: Decimal | None
    profit_factor: Decimal | None
    commission: int
    tax: int
    denied: int


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Everything in order of happening. `unsized` are signals of which no order could be made, and why.

    `equity` has a point for each trading day from the first on which a strategy could decide. `invested` is
    the value of the holdings at the same closes, in won.
    """

    signals: tuple[Signal, ...]
    orders: tuple[Order, ...]
    executions: tuple[Execution, ...]
    unsized: tuple[tuple[Signal, Breach], ...]
    equity: Sequence[EquityPoint]
    invested: tuple[int, ...]
    ledger: Ledger

    @property
    def metrics(self) -> Metrics:
        """Work the metrics out."""
        denied = sum(order.status is OrderStatus.DENIED for order in self.orders)
        return metrics_of(self.equity, self.invested, self.executions, denied=denied)


def metrics_of(
    equity: Sequence[EquityPoint],
    invested: Sequence[int],
    executions: Sequence[Execution],
    *,
    denied: int = 0,
) -> Metrics:
    """Work the metrics out of a curve, the holdings' value at its closes, and the fills, whichever engine made them."""
    returns = curve_returns(equity)
    closings = [point.closing for point in equity]
    results = [trade.result for trade in closed_trades(executions)]
    return Metrics(
        days=len(closings),
        total_return=performance.total_return(returns),
        cagr=performance.cagr(returns),
        volatility=performance.volatility(returns),
        sharpe=performance.sharpe(returns),
        probabilistic_sharpe=_probabilistic_sharpe(returns),
        sortino=performance.sortino(returns),
        max_drawdown=performance.max_drawdown(returns),
        calmar=performance.calmar(returns),
        exposure=performance.exposure(invested, closings),
        turnover=performance.turnover(
            closings,
            bought=_traded(executions, Side.BUY),
            sold=_traded(executions, Side.SELL),
        ),
        trades=len(results),
        win_rate=performance.win_rate(results),
        profit_factor=performance.profit_factor(results),
        commission=sum(execution.commission for execution in executions),
        tax=sum(execution.tax for execution in executions),
        denied=denied,
    )


def _probabilistic_sharpe(returns: Sequence[Decimal]) -> Decimal | None:
    found = moments(returns)
    return None if found is None else Decimal(repr(probabilistic_sharpe(found)))


def _traded(executions: Iterable[Execution], side: Side) -> int:
    return sum(execution.value for execution in executions if execution.side is side)
