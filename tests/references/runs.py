"""This is what our strategies do on the prices that come with maemae, as figures and one hash of all orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from adapters.bar_files import read_bars
from adapters.calendars import XkrxCalendar
from adapters.kis_sim.histories import BUNDLED
from backtest.minutes import run_minutes
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from deployments.minute_samples import drawn_minutes
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.costs import CostSchedule
from trading.instruments import Symbol
from trading.orders import Order

EXAMPLES: Final = Path(__file__).parents[2] / "docs/examples/strategies.yaml"
RESULTS: Final = Path(__file__).with_name("results.json")
CASH: Final = 100_000_000
DAYS: Final = (date(2016, 1, 4), date(2019, 12, 30))
MINUTE_DAYS: Final = (date(2018, 1, 2), date(2018, 1, 19))
"""Of these the minutes are drawn from the daily bars; the first day warms up."""

FIGURES: Final = (
    *("days", "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar"),
    *("exposure", "turnover", "trades", "win_rate", "profit_factor", "commission", "tax", "denied"),
)
"""Whole numbers and decimals, which are the same on every machine."""

type Bars = Mapping[Symbol, Sequence[Bar]]


def examples() -> tuple[StrategySettings, ...]:
    """Read the strategies of the documentation."""
    documents = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))["strategies"]
    return tuple(StrategySettings.model_validate(document) for document in documents)


def result_of(settings: StrategySettings) -> ReplayResult:
    """Replay one strategy alone, by the limits' and the sizing's defaults, with commission and dated taxes."""
    is_daily = settings.interval is Interval.DAY
    first, last = DAYS if is_daily else MINUTE_DAYS
    plan = ReplayPlan(
        strategies=(settings,),
        limits=RiskLimits(),
        sizing=SizingSettings(),
        costs=CostSchedule(),
        cash=CASH,
        first=first,
        last=last,
    )
    if is_daily:
        return run_replay(_bars(BUNDLED), plan, XkrxCalendar())
    return run_minutes(_minutes(settings.symbols), plan, XkrxCalendar())


def told(result: ReplayResult) -> dict[str, Any]:
    """Write a result down to its last digit."""
    orders = "\n".join(json.dumps(_row(order)) for order in result.orders)
    metrics = {name: _plain(getattr(result.metrics, name)) for name in FIGURES}
    return {
        "final_equity": result.equity[-1].closing,
        "signals": len(result.signals),
        "orders": len(result.orders),
        "orders_sha256": hashlib.sha256(orders.encode()).hexdigest(),
        **metrics,
    }


_bars = cache(read_bars)


@cache
def _minutes(symbols: Sequence[Symbol]) -> Bars:
    first, last = MINUTE_DAYS
    return {
        symbol: drawn_minutes([b for b in _bars(BUNDLED)[symbol] if first <= b.trading_day <= last])
        for symbol in symbols
    }


def _row(order: Order) -> list[Any]:
    intent = order.intent
    return [
        intent.trading_day.isoformat(),
        order.symbol,
        order.side,
        intent.order_type,
        order.quantity,
        intent.limit_price,
        order.status,
        order.filled_quantity,
        order.filled_value,
    ]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int) else str(value)
