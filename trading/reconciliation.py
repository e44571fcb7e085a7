"""This is our book against the broker's (대사): every difference gets a name, and doubt is settled by proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.ledger import Ledger
from trading.orders import Order, OrderStatus

SEND_MARGIN = timedelta(seconds=2)
ARRIVAL_MARGIN = timedelta(seconds=60)
"""An order in doubt may carry a broker time from just before its sending to the time-out plus delay."""


class DifferenceKind(StrEnum):
    """What does not agree."""

    FILL_MISSING = "FILL_MISSING"
    """The broker filled more than we booked."""
    FILL_UNPROVEN = "FILL_UNPROVEN"
    """We booked more than the broker's row shows; rows lag, so nothing is taken back."""
    ORDER_MISSING = "ORDER_MISSING"
    """We hold a broker number that the broker's day does not show."""
    ORDER_IN_DOUBT = "ORDER_IN_DOUBT"
    """Sent without a clear answer, and no row or more than one fits."""
    ORDER_FOREIGN = "ORDER_FOREIGN"
    """The broker has an order that none of ours explains (HTS, MTS, by hand)."""
    POSITION = "POSITION"
    CASH = "CASH"


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: about what, our figure, theirs."""

    kind: DifferenceKind
    subject: str
    ours: str
    theirs: str


def fold_modifications(rows: Sequence[BrokerOrder]) -> tuple[BrokerOrder, ...]:
    """Add to each order what happened to it under later numbers, `rows` oldest first.

    A modify (by hand: maemae makes none) moves what is open to a new number whose fills start at 0. The row of
    a cancel adds nothing, since it neither fills nor stays open.
    """
    folded = {row.broker_order_id: row for row in rows}
    for newer in reversed(rows):
        row, older = folded[newer.broker_order_id], folded.get(newer.original_id)
        if older is not None:
            folded[older.broker_order_id] = replace(
                older,
                filled_quantity=older.filled_quantity + row.filled_quantity,
                filled_value=older.filled_value + row.filled_value,
                open_quantity=older.open_quantity + row.open_quantity,
            )
    return tuple(folded.values())


def matches_in_doubt(
    order: Order, rows: Iterable[BrokerOrder], bound: frozenset[str]
) -> tuple[BrokerOrder, ...]:
    """Give the broker's rows that can be this order in doubt; only exactly one settles it.

    `bound` are the broker numbers that already belong to an order of ours. KIS echoes no client id, so
    symbol, side, type, quantity, price, channel and time are the evidence.
    """
    return tuple(row for row in rows if row.broker_order_id not in bound and _fits(order, row))


def _fits(order: Order, row: BrokerOrder) -> bool:
    intent = order.intent
    sent_at = order.submitted_at or order.updated_at
    is_same = (row.symbol, row.side, row.order_type, row.quantity, row.limit_price) == (
        intent.symbol,
        intent.side,
        intent.order_type,
        intent.quantity,
        intent.limit_price,
    )
    is_in_time = sent_at - SEND_MARGIN <= row.ordered_at <= sent_at + ARRIVAL_MARGIN
    return is_same and is_in_time and row.is_ours and not row.original_id


def compare_orders(ours: Sequence[Order], rows: Sequence[BrokerOrder]) -> tuple[Difference, ...]:
    """Name every difference between our orders of the day and the broker's rows."""
    by_id = {row.broker_order_id: row for row in rows}
    known = {order.broker_order_id for order in ours if order.broker_order_id}
    found = [d for order in ours if (d := _compare_order(order, by_id)) is not None]
    found += [
        Difference(DifferenceKind.ORDER_FOREIGN, row.broker_order_id, "-", _told(row))
        for row in rows
        if row.broker_order_id not in known and row.original_id not in known
    ]
    return tuple(found)


def _compare_order(order: Order, by_id: dict[str, BrokerOrder]) -> Difference | None:
    if order.status is OrderStatus.SUBMITTED:
        told = f"{order.side} {order.quantity}"
        return Difference(DifferenceKind.ORDER_IN_DOUBT, order.client_order_id, told, "?")
    if not order.broker_order_id:
        return None
    row = by_id.get(order.broker_order_id)
    if row is None:
        return Difference(
            DifferenceKind.ORDER_MISSING, order.client_order_id, order.broker_order_id, "-"
        )
    if row.filled_quantity == order.filled_quantity:
        return None
    is_behind = row.filled_quantity > order.filled_quantity
    kind = DifferenceKind.FILL_MISSING if is_behind else DifferenceKind.FILL_UNPROVEN
    return Difference(
        kind, order.client_order_id, str(order.filled_quantity), str(row.filled_quantity)
    )


def compare_positions(ledger: Ledger, theirs: Sequence[BrokerPosition]) -> tuple[Difference, ...]:
    """Name every symbol whose quantity differs."""
    broker = {position.symbol: position.quantity for position in theirs}
    symbols = sorted({*broker, *ledger.held_symbols})
    return tuple(
        Difference(DifferenceKind.POSITION, symbol, str(mine), str(broker.get(symbol, 0)))
        for symbol in symbols
        if (mine := ledger.position(symbol).quantity) != broker.get(symbol, 0)
    )


def compare_cash(ledger: Ledger, balance: Balance) -> tuple[Difference, ...]:
    """Name a difference of the D+2 cash, in won."""
    if ledger.cash == balance.cash:
        return ()
    return (Difference(DifferenceKind.CASH, "D+2", str(ledger.cash), str(balance.cash)),)


def _told(row: BrokerOrder) -> str:
    return f"{row.side} {row.symbol} {row.quantity} ({row.filled_quantity} filled)"
