"""This is what was known when an order left, and what looking for it has shown: the evidence of a doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Search:
    """How far the search for an order in doubt has come. Only complete scans count: every page, not throttled.

    `is_control_seen`: some scan showed another order of the account that was placed after this one left, so
    the broker's rows reach past it. `is_noticed`: a notice came that may be this order's; it is not absent.
    """

    scans: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    is_control_seen: bool = False
    is_noticed: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """What one commit holds together with SUBMITTED, before the socket write.

    `fence` is the token of the lease under which it was written. `body` is every field as it goes on the wire.
    `sent_at` is the market's time, aware UTC. `known_numbers` are the broker's numbers of the day that we know
    for this symbol and side; `highest_number` the greatest of the day for any symbol, "" for none. `held` and
    `sellable` are shares of the symbol; `buyable_cash` is won, None when it was not asked (a sell).
    """

    client_order_id: str
    fence: int
    body: Mapping[str, str]
    sent_at: datetime
    known_numbers: tuple[str, ...]
    highest_number: str
    held: int
    sellable: int
    buyable_cash: int | None
    search: Search = Search()
