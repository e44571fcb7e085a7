"""This is the commands `orders cancel` and `orders modify`: one order, by the only writer, with a reason, audited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from adapters.stores import AuditEntry, Lease
from deployments.console.halts import DONE, NOT_ALL_DONE
from deployments.console.interventions import keep_terminal_clean
from deployments.console.speech import option, say
from deployments.console.tables import paper
from flows.desk import open_desk
from tasks.cancellations import cancel_order, modify_order
from tasks.desk import Desk
from tasks.writers import only_writer
from trading.audits import OPERATOR
from trading.errors import BadInput
from trading.orders import Order, OrderStatus

type Act = Callable[[Desk, Lease, str], Awaitable[Order]]

type Identity = Annotated[str, option("order")]
type Reason = Annotated[str, option("reason")]


def cancel(order: Identity, /, *, reason: Reason) -> int:
    """Cancel what is left of one order of ours and tell what the broker's book proves.

    Gives 0 when nothing of it is open any more, 3 when it may still fill.
    """

    async def act(desk: Desk, lease: Lease, order_id: str) -> Order:
        return await cancel_order(desk, lease, order_id, reason=reason)

    left = _carry_out("cancel", order, {"reason": reason}, act)
    return NOT_ALL_DONE if left.is_open else DONE


def modify(
    order: Identity,
    /,
    *,
    price: Annotated[int | None, option("new_price")] = None,
    quantity: Annotated[int | None, option("new_quantity")] = None,
    reason: Reason,
) -> int:
    """Cancel one order and place another for what is left of it, at this price or in this smaller quantity.

    Gives 0 when the new order is in or the old one filled meanwhile, 3 for anything else.
    """
    if price is None and quantity is None:
        raise BadInput("--price", None, "the option --price or --quantity")

    async def act(desk: Desk, lease: Lease, order_id: str) -> Order:
        return await modify_order(
            desk, lease, order_id, price=price, quantity=quantity, reason=reason
        )

    figures = {"reason": reason, "price": price, "quantity": quantity}
    made = _carry_out("modify", order, figures, act)
    is_new = made.is_open and made.status not in {OrderStatus.PENDING_CANCEL, OrderStatus.SUBMITTED}
    return DONE if is_new or made.status is OrderStatus.FILLED else NOT_ALL_DONE


def _carry_out(action: str, identity: str, figures: Mapping[str, object], act: Act) -> Order:
    if not str(figures["reason"]).strip():
        raise BadInput("--reason", figures["reason"], "a few words why, for the audit log")
    keep_terminal_clean()
    order = asyncio.run(_do(action, identity, figures, act))
    words = {
        "order": order.client_order_id,
        "status": order.status,
        "filled": order.filled_quantity,
        "quantity": order.quantity,
    }
    paper().print(say("changes.done", **words))
    return order


async def _do(action: str, identity: str, figures: Mapping[str, object], act: Act) -> Order:
    async with open_desk() as desk, only_writer(desk) as lease:
        order_id = _find(desk, identity)
        with lease.begin() as work:
            entry = AuditEntry(OPERATOR, f"orders {action}", {"order": order_id, **figures})
            work.audit.add(entry, at=desk.now())
        return await act(desk, lease, order_id)


def _find(desk: Desk, identity: str) -> str:
    """Give our id of an order that is named by it or by the broker's number of today."""
    with desk.stores.begin() as work:
        named = work.orders.get(identity) or work.orders.by_broker_id(
            desk.today(), identity.zfill(10)
        )
    if named is None:
        raise BadInput("order", identity, "our id of an order, or the broker's number of one today")
    return named.client_order_id
