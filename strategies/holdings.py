"""This is what each strategy holds, told from its own fills alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side
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


@dataclass(frozen=True, slots=True)
class Entry:
    """When the shares that are held now began to be bought, and the highest price that was paid."""

    at: datetime
    paid: int


def entries_of(strategy_id: str, executions: Iterable[Execution]) -> dict[Symbol, Entry]:
    """Tell how each holding of `strategy_id` began, in order of booking; what was sold out is forgotten."""
    entries: dict[Symbol, Entry] = {}
    holdings: dict[Symbol, Position] = {}
    for execution in (each for each in executions if each.strategy_id == strategy_id):
        symbol, paid = execution.symbol, ceil(execution.price)
        holdings[symbol] = holdings.get(symbol, Position(symbol)).post(execution)
        if not holdings[symbol].quantity:
            del entries[symbol], holdings[symbol]
        elif symbol not in entries:
            entries[symbol] = Entry(execution.executed_at, paid)
        elif execution.side is Side.BUY:
            entries[symbol] = replace(entries[symbol], paid=max(entries[symbol].paid, paid))
    return entries
