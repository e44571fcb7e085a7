"""This is which prices matter: what is held, on order, decided upon by the minute, then the watch list."""

from __future__ import annotations

from tasks.desk import Desk
from tasks.intraday import intraday_strategies
from trading.instruments import Symbol


def interests(desk: Desk) -> tuple[Symbol, ...]:
    """Give every symbol whose price is wanted, the most important first, each once."""
    with desk.stores.begin() as work:
        held = work.ledger.held()
        ordered = [order.symbol for order in work.orders.of_day(desk.today()) if order.is_open]
    decided = [s for strategy in intraday_strategies(desk) for s in strategy.symbols]
    return tuple(dict.fromkeys([*held, *ordered, *decided, *desk.channel.symbols]))
