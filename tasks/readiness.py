"""This is becoming ready to order: doubt, orders, positions, cash, in this order, and no order before it is done."""

from __future__ import annotations

from tasks.desk import Desk
from tasks.reconciliation import Reconciliation, reconcile


async def make_ready(desk: Desk) -> Reconciliation:
    """Bring our book to the broker's after a start; the caller holds the account's lease.

    A difference of one symbol stops that symbol only; one of the cash stops nothing, because no buy exceeds
    what the broker says may be bought.

    Raises:
        NotReady: when the account as a whole cannot be trusted, naming the difference.
        BrokerError: when the broker's book cannot be read.
    """
    return await reconcile.fn(desk)
