"""This is what happens to orders that were declared absent and are found after all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adapters.reconciliation_messages import late_match
from tasks.cancellations import cancel_order
from tasks.desk import Desk
from trading.errors import BadInput
from trading.plans import Act, Step

_ORDERS: Final = "orders"
"""The lease of the account's only writer."""


async def cancel_late_matches(desk: Desk, steps: Iterable[Step]) -> None:
    """Tell every late match, and cancel those for which the plan asks.

    The wish is committed already. If another writer holds the account, that one or the next goes on with it
    (`finish_cancels`).
    """
    steps = tuple(steps)
    wanted = {step.subject for step in steps if step.act is Act.CANCEL}
    for step in steps:
        if step.act is Act.FIND:
            name, is_wanted = desk.name(step.order.symbol), step.subject in wanted
            desk.tell(late_match(step.order, desk.wording, name=name, is_canceled=is_wanted))
    if not wanted:
        return
    with desk.stores.lease(_ORDERS) as lease:
        if lease is None:
            return
        for client_order_id in sorted(wanted):
            try:
                await cancel_order(desk, lease, client_order_id, reason="late match")
            except BadInput:
                continue  # it is over already: a row or a notice was faster
