"""This is what a replay found out: every decision and fill, the equity curve, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

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

    A trade is one strategy's way from nothing held to nothing held; its result is net of all charges.
    """

    days: int
    total_return: Decimal | None
    cagr: Decimal | None
    volatility: Decimal | None
    sharpe: Decimal | None
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
    equity: tuple[EquityPoint, ...]
    invested: tuple[int, ...]
    ledger: Ledger

    @property
    def metrics(self) -> Metrics:
        """Work the metrics out."""
        returns = curve_returns(self.equity)
        closings = [point.closing for point in self.equity]
        results = [trade.result for trade in closed_trades(self.executions)]
        return Metrics(
            days=len(closings),
            total_return=performance.total_return(returns),
            cagr=performance.cagr(returns),
            volatility=performance.volatility(returns),
            sharpe=performance.sharpe(returns),
            sortino=performance.sortino(returns),
            max_drawdown=performance.max_drawdown(returns),
            calmar=performance.calmar(returns),
            exposure=performance.exposure(self.invested, closings),
            turnover=performance.turnover(
                closings,
                bought=_traded(self.executions, Side.BUY),
                sold=_traded(self.executions, Side.SELL),
            ),
            trades=len(results),
            win_rate=performance.win_rate(results),
            profit_factor=performance.profit_factor(results),
            commission=sum(execution.commission for execution in self.executions),
            tax=sum(execution.tax for execution in self.executions),
            denied=sum(order.status is OrderStatus.DENIED for order in self.orders),
        )


def _traded(executions: Iterable[Execution], side: Side) -> int:
    return sum(execution.value for execution in executions if execution.side is side)
