"""This is the right to order: one writer per account, and none before both books agree after a death."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from adapters.stores import Lease
from tasks.desk import Desk
from tasks.readiness import make_ready
from trading.errors import Unavailable

ORDERS: Final = "orders"
WRITER_PATIENCE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.2


@asynccontextmanager
async def only_writer(desk: Desk) -> AsyncIterator[Lease]:
    """Wait for the account's lease; who follows a holder that died makes the account ready first.

    Raises:
        Unavailable: when another writer holds the account for too long; nothing was ordered.
        NotReady: when the account cannot be trusted; nothing was ordered.
        BrokerError: when the broker's book cannot be read, which is needed after a death.
    """
    for _ in range(int(WRITER_PATIENCE_SECONDS / _PAUSE_SECONDS)):
        with desk.stores.lease(ORDERS) as lease:
            if lease is not None:
                if lease.needs_recovery:
                    await make_ready(desk)
                    lease.recovered()
                yield lease
                return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise Unavailable("another run is placing orders", code="WRITER_BUSY")
