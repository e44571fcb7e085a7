"""This is which prices matter: what is held first, then what is on order, then the watch list."""

from __future__ import annotations

from tasks.desk import Desk
from trading.instruments import Symbol


def interests(desk: Desk) -> tuple[Symbol, ...]:
    """Give every symbol whose price is wanted, the most important first, each once."""
    with desk.stores.begin() as work:
        held = work.ledger.load().held_symbols
        ordered = [order.symbol for order in work.orders.of_day(desk.today()) if order.is_open]
    return tuple(dict.fromkeys([*held, *ordered, *desk.channel.symbols]))
