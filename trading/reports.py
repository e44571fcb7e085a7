"""This is the report of a trading day as a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.day_records import DayRecord
from trading.day_results import DayResult, Holding, Sale, day_result, holdings, sales
from trading.decisions import Breach, RiskEvent, Verdict
from trading.equity import curve_returns
from trading.instruments import Symbol
from trading.manual_orders import of_strategies
from trading.order_quality import (
    Funnel,
    Latency,
    Slippage,
    failure_rate,
    funnel,
    signal_to_accept,
    slippage,
    submit_to_accept,
)
from trading.orders import OrderStatus
from trading.performance import drawdowns, total_return


@dataclass(frozen=True, slots=True)
class Denial:
    """One order that our own gate refused, with all its reasons."""

    client_order_id: str
    strategy_id: str
    symbol: Symbol
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class EodReport:
    """The report of one trading day.

    Rates are fractions. `day_return` and `total_return` take deposits out (see `curve_returns`), and so do
    both drawdowns, which are 0 or negative and measured from the peak of equity with holdings at market.
    `carried_difference` is opening minus the last closing on the curve: won that no day accounts for, 0 when
    all is well.
    """

    day: DayRecord
    result: DayResult
    day_return: Decimal
    total_return: Decimal
    drawdown: Decimal
    max_drawdown: Decimal
    carried_difference: int
    holdings: tuple[Holding, ...]
    sales: tuple[Sale, ...]
    orders_by_status: Mapping[OrderStatus, int]
    denials: tuple[Denial, ...]
    failure_rate: Decimal | None
    latency: Latency | None
    broker_latency: Latency | None
    slippage: Slippage
    funnel: Funnel

    @property
    def unrealized(self) -> int:
        """Won that the holdings have gained or lost since they were bought, before charges."""
        return sum(holding.unrealized for holding in self.holdings)


def build_report(day: DayRecord) -> EodReport:
    """Work out the report.

    Raises:
        BadInput: when a holding has no price; it is never taken for zero.
        ReportImbalance: when stored equity, ledger and trades disagree by a single won.
    """
    returns = curve_returns(day.curve)
    depths = drawdowns(returns)
    orders = of_strategies(day.orders)
    return EodReport(
        day=day,
        result=day_result(day),
        day_return=returns[-1],
        total_return=total_return(returns) or Decimal(0),
        drawdown=depths[-1],
        max_drawdown=min(depths),
        carried_difference=day.point.opening - day.curve[-2].closing if len(day.curve) > 1 else 0,
        holdings=holdings(day),
        sales=sales(day),
        orders_by_status=Counter(order.status for order in day.orders),
        denials=_denials(day),
        failure_rate=failure_rate(orders),
        latency=signal_to_accept(day.signals, orders),
        broker_latency=submit_to_accept(orders),
        slippage=slippage(orders, day.executions),
        funnel=funnel(day.signals, orders),
    )


def _denials(day: DayRecord) -> tuple[Denial, ...]:
    """Group the refusals by order; a duplicate is denied under the id of the order that it repeats."""
    events: dict[str, list[RiskEvent]] = {}
    for event in day.risk_events:
        if event.verdict is Verdict.DENIED:
            events.setdefault(event.client_order_id, []).append(event)
    explained = tuple(
        Denial(
            client_order_id, group[0].strategy_id, group[0].symbol, tuple(e.breach for e in group)
        )
        for client_order_id, group in events.items()
    )
    return explained + tuple(
        Denial(
            order.client_order_id,
            order.intent.strategy_id,
            order.symbol,
            (Breach(order.error_code, order.error_message),),
        )
        for order in day.orders
        if order.status is OrderStatus.DENIED and order.client_order_id not in events
    )
