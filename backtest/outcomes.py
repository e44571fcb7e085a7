"""This is what a backtest comes to, as both engines tell it: fills, cash and equity, with one fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from backtest.results import ReplayResult
from trading.executions import Execution
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
    equity = tuple((point.trading_day, point.closing) for point in result.equity)
    return Outcome(tuple(fills), result.ledger.cash, equity)


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
