"""This is our book against the broker's (대사): every difference gets a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.ledger import Ledger
from trading.manual_orders import BEFORE_OPENING, unexplained
from trading.orders import Order, OrderStatus, Side


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
    IMPOSSIBLE = "IMPOSSIBLE"
    """The broker's row asks for a booking that our book cannot take: more sold than held, more filled than ordered."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: about what, our figure, theirs; `symbol` is "" when it is about no single one."""

    kind: DifferenceKind
    subject: str
    ours: str
    theirs: str
    symbol: str = ""


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


def compare_orders(ours: Sequence[Order], rows: Sequence[BrokerOrder]) -> tuple[Difference, ...]:
    """Name every difference between our orders of the day and the broker's rows."""
    by_id = {row.broker_order_id: row for row in rows}
    found = [d for order in ours if (d := _compare_order(order, by_id)) is not None]
    found += [
        Difference(DifferenceKind.ORDER_FOREIGN, row.broker_order_id, "-", _told(row), row.symbol)
        for row in unexplained(rows, ours)
    ]
    return tuple(found)


def _compare_order(order: Order, by_id: dict[str, BrokerOrder]) -> Difference | None:
    if order.status is OrderStatus.SUBMITTED:
        told = f"{order.side} {order.quantity}"
        return Difference(
            DifferenceKind.ORDER_IN_DOUBT, order.client_order_id, told, "?", order.symbol
        )
    if not order.broker_order_id or order.error_code == BEFORE_OPENING:
        return None
    row = by_id.get(order.broker_order_id)
    if row is None:
        return Difference(
            DifferenceKind.ORDER_MISSING,
            order.client_order_id,
            order.broker_order_id,
            "-",
            order.symbol,
        )
    if row.filled_quantity == order.filled_quantity:
        return None
    is_behind = row.filled_quantity > order.filled_quantity
    kind = DifferenceKind.FILL_MISSING if is_behind else DifferenceKind.FILL_UNPROVEN
    ours, theirs = str(order.filled_quantity), str(row.filled_quantity)
    return Difference(kind, order.client_order_id, ours, theirs, order.symbol)


def compare_positions(ledger: Ledger, theirs: Sequence[BrokerPosition]) -> tuple[Difference, ...]:
    """Name every symbol whose quantity differs."""
    broker = {position.symbol: position.quantity for position in theirs}
    symbols = sorted({*broker, *ledger.held_symbols})
    return tuple(
        Difference(DifferenceKind.POSITION, symbol, str(mine), str(broker.get(symbol, 0)), symbol)
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


def is_pending(difference: Difference, ours: Sequence[Order], rows: Sequence[BrokerOrder]) -> bool:
    """Tell whether what is on its way can explain a difference of a position.

    On its way are the open orders of the symbol, those in doubt included, and fills that we booked and the
    broker's rows do not show yet.
    """
    ahead = behind = 0
    by_id = {row.broker_order_id: row for row in rows}
    for order in (order for order in ours if order.symbol == difference.symbol):
        row = by_id.get(order.broker_order_id)
        unproven = max(0, order.filled_quantity - (row.filled_quantity if row else 0))
        is_buy = order.side is Side.BUY
        ahead += order.open_quantity if is_buy else unproven
        behind += unproven if is_buy else order.open_quantity
    return -behind <= int(difference.theirs) - int(difference.ours) <= ahead
