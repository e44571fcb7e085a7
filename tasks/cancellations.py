"""This is canceling and changing one order: asked for in writing first, believed only from the broker's row.

Repeating a cancel is safe, so one that is in doubt is sent again as long as the row shows shares left. A change
is a cancel and then a new order for what the row proves to be free; KIS's own modify is never used, because an
outage in the midst of one leaves nobody knowing which of two orders lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from adapters.messages import cancel_failed
from adapters.stores import Lease
from tasks.bookings import book_row
from tasks.desk import Desk
from tasks.halts import Cancelable, living, send_cancel
from tasks.submissions import attempts_of, submit
from tasks.views import read_view
from trading.errors import (
    BadInput,
    BrokerError,
    InvalidTransition,
    LedgerViolation,
    OutcomeUnknown,
)
from trading.instruments import Instrument
from trading.krx import is_on_tick
from trading.orders import Order, OrderIntent, OrderStatus, OrderType, client_order_id
from trading.reconciliation import fold_modifications
from trading.signals import Signal

CANCEL_ATTEMPTS: Final = 3
"""So often a cancel is sent in one go; the next run of place-orders goes on with what is left."""
PAUSES: Final = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each look at the row after a cancel: rows come late."""


async def cancel_order(
    desk: Desk,
    lease: Lease,
    order_id: str,
    *,
    reason: str,
    pauses: Sequence[float] = PAUSES,
) -> Order:
    """Cancel what is left of our order `order_id`; give it as the broker's row proves it to be.

    It is CANCELED or FILLED then, still open when the broker refused, and PENDING_CANCEL when nobody knows yet:
    the next writer goes on with that.

    Raises:
        BadInput: when there is no such order, it has no number yet, or it is open since another day: the broker's
            numbers begin again every day, and its own is another order's by now.
        LeaseLost, StoreUnavailable: nothing was sent, or what was sent is in doubt.
    """
    order = _request(desk, lease, order_id, reason=reason)
    return await _carry_out(desk, lease, order, pauses) if order.is_open else order


async def modify_order(
    desk: Desk,
    lease: Lease,
    order_id: str,
    *,
    price: int | None = None,
    quantity: int | None = None,
    reason: str = "modify",
    pauses: Sequence[float] = PAUSES,
) -> Order:
    """Cancel, then order what the row proves to be left at another price or in a smaller quantity.

    Gives the new order, or the old one when it filled or its signal expired meanwhile, or its cancel is in doubt:
    then there is no new one. The new order goes through the gate as any other, under the same signal.

    Raises:
        BadInput: as `cancel_order`, and for a price off the grid or outside the day's limits, a quantity that is
            not above 0, a market order, or a signal that is unknown or has expired; nothing is canceled then.
    """
    order, signal = _changeable(desk, order_id)
    await _require_possible(desk, order, price=price, quantity=quantity)
    order = await cancel_order(desk, lease, order_id, reason=reason, pauses=pauses)
    left = order.quantity - order.filled_quantity
    if order.status is not OrderStatus.CANCELED or not left or signal.is_expired(desk.now()):
        return order
    view = await read_view(desk, signal)
    intent = _next(
        order.intent,
        sequence=len(attempts_of(signal.signal_id, view.day_orders)),
        price=price or order.intent.limit_price,
        quantity=min(quantity or left, left),
    )
    made = await submit(desk, lease, replace(intent, created_at=view.at), view)
    return made or order


async def finish_cancels(desk: Desk, lease: Lease, *, pauses: Sequence[float] = PAUSES) -> None:
    """Go on with every cancel of today that was asked for and not yet proven, after a crash or an outage."""
    with desk.stores.begin() as work:
        pending = [o for o in work.orders.open() if o.status is OrderStatus.PENDING_CANCEL]
    for order in pending:
        if order.intent.trading_day == desk.today():
            await _carry_out(desk, lease, order, pauses)


async def _carry_out(desk: Desk, lease: Lease, order: Order, pauses: Sequence[float]) -> Order:
    """Send, look, and send again while nothing is proven; then tell the owner, and leave it as it stands."""
    problems: list[BrokerError | None] = []
    for _ in range(CANCEL_ATTEMPTS):
        named = await _living(desk, order) if problems else Cancelable.of_order(order)
        problems.append(await _send_cancel(desk, lease, named))
        order = await _look_until_settled(
            desk, order, pauses if problems[-1] is None else pauses[:2]
        )
        if order.status is not OrderStatus.PENDING_CANCEL:
            return order
    if all(problem and not isinstance(problem, OutcomeUnknown) for problem in problems):
        order = _give_up(desk, lease, order)
    words = "; ".join(dict.fromkeys(str(problem) for problem in problems if problem))
    desk.tell(cancel_failed(order, words, desk.wording, name=desk.name(order.symbol)))
    return order


def _request(desk: Desk, lease: Lease, order_id: str, *, reason: str) -> Order:
    """Commit the wish before anything is sent."""
    with lease.begin() as work:
        order = work.orders.get(order_id)
        if order is None or order.is_in_doubt:
            raise _not_cancelable(order_id, order)
        if order.is_open and order.intent.trading_day != desk.today():
            raise BadInput(
                "order", order_id, f"an order of today, this is of {order.intent.trading_day}"
            )
        if order.is_open and order.status is not OrderStatus.PENDING_CANCEL:
            order = order.request_cancel(at=desk.now())
            work.orders.save(order, detail=reason)
    return order


def _not_cancelable(order_id: str, order: Order | None) -> BadInput:
    found = "no such order" if order is None else f"{order.status}"
    return BadInput("order", order_id, f"an open order with the broker's number, this is {found}")


async def _living(desk: Desk, order: Order) -> Cancelable:
    """Name what is open of the order now: changed by hand, it lives under a later number."""
    named = Cancelable.of_order(order)
    with suppress(BrokerError):
        rows = await desk.broker.orders_of_day(order.intent.trading_day)
        for row in living(rows, lambda row: row.broker_order_id == order.broker_order_id):
            named = Cancelable.of_row(row)
    return named


async def _send_cancel(desk: Desk, lease: Lease, named: Cancelable) -> BrokerError | None:
    """Send a cancel once; give what went wrong, None when the broker took it."""
    lease.check()
    try:
        await send_cancel(desk, named)
    except BrokerError as problem:
        return problem
    return None


async def _look_until_settled(desk: Desk, order: Order, pauses: Sequence[float]) -> Order:
    """Read the order's row until it proves what became of it, or the pauses are over."""
    for pause in pauses:
        await asyncio.sleep(pause)
        try:
            order = await _look(desk, order)
        except (BrokerError, InvalidTransition, LedgerViolation):
            continue  # unread, or a row that cannot be true: reconciliation names it
        if order.status is not OrderStatus.PENDING_CANCEL:
            break
    return order


async def _look(desk: Desk, order: Order) -> Order:
    day = order.intent.trading_day
    rows = fold_modifications(await desk.broker.orders_of_day(day))
    row = next((row for row in rows if row.broker_order_id == order.broker_order_id), None)
    booked = book_row(desk, row, day, at=desk.now()) if row else None
    return booked.order if booked else order


def _give_up(desk: Desk, lease: Lease, order: Order) -> Order:
    """Take the wish back: every cancel was certainly refused and the order lives on."""
    with lease.begin() as work:
        order = work.orders.get(order.client_order_id) or order
        if order.status is OrderStatus.PENDING_CANCEL:
            order = order.refuse_cancel(at=desk.now())
            work.orders.save(order, detail="cancel refused")
    return order


def _changeable(desk: Desk, order_id: str) -> tuple[Order, Signal]:
    with desk.stores.begin() as work:
        order = work.orders.get(order_id)
        signal = work.signals.get(order.intent.signal_id) if order else None
    if order is None or not order.is_open or not order.broker_order_id:
        raise _not_cancelable(order_id, order)
    if order.intent.order_type is not OrderType.LIMIT:
        raise BadInput("order", order_id, "a limit order; a market order can only be canceled")
    if signal is None or signal.is_expired(desk.now()):
        raise BadInput("order", order_id, "an order whose signal is still good for a new one")
    return order, signal


async def _require_possible(
    desk: Desk, order: Order, *, price: int | None, quantity: int | None
) -> None:
    """Refuse what broker or exchange would refuse anyway, before the old order is given up for it."""
    if quantity is not None and quantity <= 0:
        raise BadInput("quantity", quantity, "at least one whole share")
    if price is None:
        return
    quote = await desk.market_data.quote(order.symbol)
    with desk.stores.begin() as work:
        known = work.instruments.get(order.symbol) or Instrument(order.symbol, order.symbol)
    is_inside = quote.lower_limit <= price <= quote.upper_limit
    if not is_inside or not is_on_tick(
        price, on=order.intent.trading_day, market=known.market, kind=known.kind
    ):
        limits = f"on the tick grid within {quote.lower_limit:,} to {quote.upper_limit:,}"
        raise BadInput("price", price, limits)


def _next(intent: OrderIntent, *, sequence: int, price: int | None, quantity: int) -> OrderIntent:
    """Give the next order of the same decision."""
    identity = client_order_id(
        channel=intent.channel,
        account=intent.account,
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        side=intent.side,
        trading_day=intent.trading_day,
        signal_id=intent.signal_id,
        sequence=sequence,
    )
    return replace(intent, client_order_id=identity, limit_price=price, quantity=quantity)
