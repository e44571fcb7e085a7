"""This is reading what each strategy holds: its own fills, less what the owner has sold of it by hand."""

from __future__ import annotations

from adapters.stores import UnitOfWork
from strategies.attribution import attributed
from trading.executions import Execution
from trading.instruments import Symbol
from trading.manual_orders import MANUAL


def standing_fills(work: UnitOfWork, symbol: Symbol | None = None) -> tuple[Execution, ...]:
    """Give the fills behind what is held now, each sale under the strategy whose shares it took."""
    fills = work.executions.standing(symbol)
    if all(fill.strategy_id != MANUAL for fill in fills):
        return fills
    positions = work.ledger.load().positions
    return attributed(fills, {symbol: each.quantity for symbol, each in positions.items()})
