"""This is a small day of orders and fills in the outbox, each step in a unit of work of its own."""

from __future__ import annotations

from datetime import timedelta

from adapters.stores import Stores
from tests.builders import LG_CHEM, SAMSUNG, a_fill, an_accepted_order, an_order
from tests.store_samples import AT

STEPS = 6
"""Events of one order: new, accepted, two fills and the two states after them."""


def trade_some(stores: Stores, count: int = 10, *, start: int = 0) -> None:
    """Store orders of two symbols in turn, each of two shares that fill one by one."""
    for number in range(start, start + count):
        symbol = (LG_CHEM, SAMSUNG)[number % 2]
        name = {"client_order_id": f"20180116-{symbol}-B-{number:016}", "symbol": symbol}
        with stores.begin() as work:
            work.orders.add(an_order(**name, quantity=2))
        order = an_accepted_order(f"{number:010}", **name, quantity=2)
        with stores.begin() as work:
            work.orders.save(order)
        for ordinal in range(2):
            at = AT + timedelta(seconds=ordinal)
            fill = a_fill(order, quantity=1, price=50_000, at=at, ordinal=ordinal)
            order = order.fill(1, 50_000, at=at)
            with stores.begin() as work:
                work.executions.add(fill)
                work.orders.save(order)
