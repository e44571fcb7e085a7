"""This is orders that the owner gave by hand in HTS or MTS: recognised, kept apart, never corrected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from trading.broker_books import BrokerOrder
from trading.orders import ABSENT, Order, OrderIntent

MANUAL: Final = "manual"
"""The strategy of orders by hand; no strategy ever owns their shares."""
BEFORE_OPENING: Final = "BEFORE_OPENING"
"""The error code of an order by hand whose fills came into our book with the opening balance."""


def of_strategies(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Leave out orders by hand: they say nothing about how well strategies, gate and broker worked."""
    return tuple(order for order in orders if order.intent.strategy_id != MANUAL)


def unexplained(rows: Iterable[BrokerOrder], orders: Iterable[Order]) -> tuple[BrokerOrder, ...]:
    """Give the rows that no order of ours explains; those of modifies and cancels belong to the order they name."""
    known = {order.broker_order_id for order in orders if order.broker_order_id}
    rows = tuple(rows)
    roots = {row.broker_order_id: row.original_id for row in rows}
    return tuple(
        row
        for row in rows
        if row.broker_order_id not in known and not (row.original_id and row.original_id in roots)
    )


def is_adoptable(row: BrokerOrder, orders: Iterable[Order]) -> bool:
    """Tell whether an unexplained row may be written down: it has traded, and it cannot be one of ours in doubt.

    What has not traded changes neither cash nor shares, and rows come and go that nothing explains.
    """
    may_be_ours = row.is_ours and any(
        (order.symbol, order.side) == (row.symbol, row.side)
        and (order.is_in_doubt or order.error_code == ABSENT)
        for order in orders
    )
    return row.filled_quantity > 0 and not may_be_ours


def manual_order(row: BrokerOrder, *, trading_day: date, channel: str, account: str) -> Order:
    """Make the order, not yet sent, that stands for a row in our book."""
    came_through = "this key, by no order of ours" if row.is_ours else "HTS or MTS"
    intent = OrderIntent(
        client_order_id=f"{trading_day:%Y%m%d}-{row.symbol}-{row.side[0]}-hand-{row.broker_order_id}",
        channel=channel,
        account=account,
        strategy_id=MANUAL,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        order_type=row.order_type,
        limit_price=row.limit_price,
        trading_day=trading_day,
        signal_id="",
        reason=f"by hand ({came_through})",
        created_at=row.ordered_at,
    )
    return Order.initialize(intent)


def life_of(order: Order, row: BrokerOrder) -> tuple[Order, ...]:
    """Give the states that lead an order by hand, from its making, to its number."""
    submitted = order.submit(at=row.ordered_at)
    accepted = submitted.accept(row.broker_order_id, branch=row.branch, at=row.ordered_at)
    return order, submitted, accepted


def life_before_opening(order: Order, row: BrokerOrder) -> tuple[Order, ...]:
    """Give the states of an order by hand whose fills are in the opening balance: none of them is booked again."""
    *lived, accepted = life_of(order, row)
    closed = accepted.cancel(at=row.ordered_at, reason="its fills came with the opening balance")
    return *lived, accepted, replace(closed, error_code=BEFORE_OPENING)
