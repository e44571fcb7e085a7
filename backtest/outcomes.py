"""This is what a backtest comes to, as both engines tell it: fills, cash and equity, with one fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass
from datetime import date

from backtest.accounts import REPLAY, session_on
from backtest.marks import closings_of
from backtest.results import ReplayResult
from trading.equity import EquityPoint
from trading.executions import Execution, ExecutionSource
from trading.instruments import Symbol
from trading.orders import Side


@dataclass(frozen=True, slots=True)
class OutcomeFill:
    """One fill: shares at one price, charges apart, all in won (times the price scale)."""

    trading_day: date
    symbol: Symbol
    side: Side
    quantity: int
    price: int
    commission: int
    tax: int

    @property
    def value(self) -> int:
        """Shares times price."""
        return self.quantity * self.price

    @property
    def cash_change(self) -> int:
        """What it adds to cash, charges included."""
        sign = 1 if self.side is Side.SELL else -1
        return sign * self.value - self.commission - self.tax


@dataclass(frozen=True, slots=True)
class Outcome:
    """Fills by day and symbol, those of one symbol as they happened; equity at the close of each day."""

    fills: tuple[OutcomeFill, ...]
    cash: int
    equity: tuple[tuple[date, int], ...]

    @property
    def digest(self) -> str:
        """Fingerprint all of it: SHA-256 over JSON without spaces."""
        fills = [
            (f.trading_day.isoformat(), f.symbol, f.side, f.quantity, f.price, f.commission, f.tax)
            for f in self.fills
        ]
        equity = [(day.isoformat(), won) for day, won in self.equity]
        text = json.dumps([fills, self.cash, equity], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def outcome_of(result: ReplayResult) -> Outcome:
    """Give the outcome of a replay by convention."""
    fills = sorted(map(_fill, result.executions), key=lambda fill: (fill.trading_day, fill.symbol))
    return Outcome(tuple(fills), result.ledger.cash, closings_of(result.equity))


def executions_of(outcome: Outcome, strategy_id: str) -> tuple[Execution, ...]:
    """Give the fills of an outcome as bookings of one strategy, with no order or broker behind them."""
    return tuple(_execution(fill, strategy_id) for fill in outcome.fills)


def points_of(outcome: Outcome, cash: int) -> tuple[EquityPoint, ...]:
    """Give the curve of an outcome that began with `cash` in all."""
    days = [day for day, _ in outcome.equity]
    closings = [won for _, won in outcome.equity]
    return tuple(map(EquityPoint, days, [cash, *closings[:-1]], closings))


def invested_of(outcome: Outcome, cash: int) -> tuple[int, ...]:
    """Give what was in holdings at each close of an outcome that began with `cash` in all."""
    invested, fills = [], deque(outcome.fills)
    for day, equity in outcome.equity:
        while fills and fills[0].trading_day <= day:
            cash += fills.popleft().cash_change
        invested.append(equity - cash)
    return tuple(invested)


def _execution(fill: OutcomeFill, strategy_id: str) -> Execution:
    return Execution(
        execution_id="",
        client_order_id="",
        broker_order_id="",
        account=REPLAY,
        strategy_id=strategy_id,
        symbol=fill.symbol,
        side=fill.side,
        quantity=fill.quantity,
        value=fill.value,
        commission=fill.commission,
        tax=fill.tax,
        cumulative_quantity=fill.quantity,
        trading_day=fill.trading_day,
        settles_on=fill.trading_day,
        executed_at=session_on(fill.trading_day).opens_at,
        source=ExecutionSource.INQUIRY,
    )


def _fill(execution: Execution) -> OutcomeFill:
    return OutcomeFill(
        execution.trading_day,
        execution.symbol,
        execution.side,
        execution.quantity,
        int(execution.price),
        execution.commission,
        execution.tax,
    )
