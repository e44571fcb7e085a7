"""This is how refusals in a row are counted: for the rules, and for what trips the kill switch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile
from typing import Final

from trading.orders import NEVER_IN, Order, OrderStatus

UNJUDGED: Final = NEVER_IN | {"NEVER_FILLED"}
"""Codes of orders that came to nothing without anybody having judged them: the broker refused nothing."""
UNANSWERED: Final = frozenset({OrderStatus.INITIALIZED, OrderStatus.DENIED, OrderStatus.SUBMITTED})


def refused_in_a_row(
    orders: Iterable[Order], *, since: datetime | None = None
) -> tuple[Order, ...]:
    """Give the orders that the broker refused since it last took one, newest first.

    Those answered up to `since`, when the owner last resumed, are forgiven.
    """
    answered = (
        order
        for order in sorted(orders, key=_sent_at, reverse=True)
        if order.status not in UNANSWERED
        and order.error_code not in UNJUDGED
        and (since is None or order.updated_at > since)
    )
    return tuple(takewhile(lambda order: order.status is OrderStatus.REJECTED, answered))


def _sent_at(order: Order) -> datetime:
    return order.submitted_at or order.updated_at
