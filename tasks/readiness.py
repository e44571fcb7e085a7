"""This is becoming ready to order: doubt, orders, positions, cash, in this order, and no order before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tasks.desk import Desk
from tasks.doubts import has_doubt
from tasks.reconciliation import Reconciliation, reconcile
from trading.doubts import PAUSES
from trading.errors import NotReady
from trading.ledger import Ledger
from trading.reconciliation import DifferenceKind

LOOK_AGAIN: Final = (1.0, 2.0)
"""Seconds before each further look when the broker's answer cannot be true: rows are empty for a while."""
SEVERAL: Final = 2


async def make_ready(desk: Desk, *, pauses: Sequence[float] = LOOK_AGAIN) -> Reconciliation:
    """Bring our book to the broker's after a start; the caller holds the account's lease.

    A difference of one symbol stops that symbol only, an order in doubt blocks its own. One of the cash (a
    dividend, a deposit) is named and stops nothing: no buy exceeds what the broker says may be bought.

    Raises:
        NotReady: when the account as a whole cannot be trusted, naming the difference.
        BrokerError: when the broker's book cannot be read.
    """
    done = await reconcile.fn(desk)
    for pause in pauses:
        if _contradiction(desk, done) is None:
            return done
        await asyncio.sleep(pause)
        done = await reconcile.fn(desk)
    if (words := _contradiction(desk, done)) is not None:
        raise NotReady(words)
    return done


async def settle_doubts(
    desk: Desk, *, within: float, pauses: Sequence[float] = PAUSES
) -> Reconciliation | None:
    """Look for orders in doubt with growing pauses until there is none or `within` seconds of pauses are over.

    Gives the last look, None when nothing was in doubt.

    Raises:
        BrokerError: when the broker's book cannot be read.
    """
    done, waited, looks = None, 0.0, 0
    while has_doubt(desk, since=timedelta()) and waited <= within:
        pause = pauses[min(looks, len(pauses) - 1)]
        await asyncio.sleep(pause)
        done = await reconcile.fn(desk)
        waited, looks = waited + pause, looks + 1
    return done


def _contradiction(desk: Desk, done: Reconciliation) -> str | None:
    """Say what makes the account as a whole untrustworthy, None when nothing does."""
    with desk.stores.begin() as work:
        ledger = work.ledger.load()
    return _unopened(ledger) or _denied(ledger, done)


def _unopened(ledger: Ledger) -> str | None:
    if ledger.flows or ledger.positions:
        return None
    return "our book is not open yet: an order that came in through this key is open at the broker"


def _denied(ledger: Ledger, done: Reconciliation) -> str | None:
    """Tell when the broker shows nothing at all of what it confirmed before: an empty answer, or another account."""
    missing = [d for d in done.differences if d.kind is DifferenceKind.ORDER_MISSING]
    if missing and not done.orders:
        return f"the broker's day is empty, and {len(missing)} orders have its numbers"
    gone = [d for d in done.differences if d.kind is DifferenceKind.POSITION and int(d.theirs) == 0]
    if len(gone) >= SEVERAL and {d.symbol for d in gone} == set(ledger.held_symbols):
        return f"the broker holds none of our {len(gone)} symbols"
    return None
