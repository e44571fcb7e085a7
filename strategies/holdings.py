"""This is what each strategy holds, told from its own fills alone."""

from __future__ import annotations

from collections.abc import Iterable

from trading.executions import Execution
from trading.instruments import Symbol
from trading.positions import Position


def holdings_of(strategy_id: str, executions: Iterable[Execution]) -> dict[Symbol, Position]:
    """Add up the fills of `strategy_id`, in order of booking.

    Two strategies may hold the same symbol; each leaves only what it entered. Shares that nobody's fill
    explains (adopted from the broker, traded by hand) belong to none.
    """
    holdings: dict[Symbol, Position] = {}
    for execution in executions:
        if execution.strategy_id == strategy_id:
            held = holdings.get(execution.symbol, Position(execution.symbol))
            holdings[execution.symbol] = held.post(execution)
    return holdings
