"""This is a strategy's closed trades: each a way from nothing held to nothing held, net of all charges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side
from trading.positions import Position


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """What one trade brought in won, after every commission and tax of its buys and sells."""

    strategy_id: str
    symbol: Symbol
    closed_on: date
    result: int


def closed_trades(executions: Iterable[Execution]) -> tuple[ClosedTrade, ...]:
    """Give the closed trades in order of closing; `executions` in order of booking.

    A sell of more than its strategy had bought, as of shares taken over from elsewhere, belongs to no trade.
    """
    open_trades: dict[tuple[str, Symbol], Position] = {}
    closed = []
    for execution in executions:
        key = (execution.strategy_id, execution.symbol)
        trade = open_trades.get(key, Position(execution.symbol))
        if execution.side is Side.SELL and execution.quantity > trade.quantity:
            continue
        open_trades[key] = trade = trade.post(execution)
        if not trade.quantity:
            del open_trades[key]
            result = trade.realized - trade.charges
            closed.append(ClosedTrade(*key, execution.trading_day, result))
    return tuple(closed)


def losing_streak(trades: Sequence[ClosedTrade], *, today: date) -> int:
    """Count the newest trades in a row that lost; 0 when none was closed today, so that a streak rests overnight."""
    if not trades or trades[-1].closed_on != today:
        return 0
    return sum(1 for _ in takewhile(lambda trade: trade.result < 0, reversed(trades)))
