"""This is the evidence of orders and the notices that wait, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import replace
from datetime import date

from adapters.memory.books import MemoryOrders
from adapters.memory.tables import Table
from adapters.stores import has_submission
from trading.notices import Notice
from trading.submissions import Search, Submission


class MemorySubmissions:
    """What was known when each order left."""

    def __init__(self, orders: MemoryOrders) -> None:
        self.rows: Table[str, Submission] = Table()
        self._orders = orders

    def add(self, submission: Submission) -> None:
        """Write.

        Raises:
            BadInput: when the order has one already.
            LookupError: when the order was never added.
        """
        if self._orders.get(submission.client_order_id) is None:
            raise LookupError(f"order {submission.client_order_id} was never added")
        copy = replace(submission, body=dict(submission.body))
        if not self.rows.add(submission.client_order_id, copy):
            raise has_submission(submission.client_order_id)

    def get(self, client_order_id: str) -> Submission | None:
        """Give one."""
        return self.rows.get(client_order_id)

    def note(self, client_order_id: str, search: Search) -> None:
        """Write how far the search has come.

        Raises:
            LookupError: when the order has no submission.
        """
        known = self.get(client_order_id)
        if known is None:
            raise LookupError(f"order {client_order_id} has no submission")
        self.rows.put(client_order_id, replace(known, search=search))


class MemoryNotices:
    """Notices whose order number belongs to no order of ours yet."""

    def __init__(self) -> None:
        self.rows: Table[Hashable, tuple[date, Notice]] = Table()

    def keep(self, trading_day: date, notice: Notice) -> None:
        """Write; the same notice again (all fields but its arrival) changes nothing."""
        self.rows.add(_identity(trading_day, notice), (trading_day, notice))

    def waiting(self, trading_day: date) -> tuple[Notice, ...]:
        """Give the day's notices that wait, in order of arrival."""
        notices = (notice for day, notice in self.rows if day == trading_day)
        return tuple(sorted(notices, key=lambda notice: notice.received_at))

    def drop(self, trading_day: date, broker_order_id: str) -> int:
        """Let go of a number's notices; give how many."""
        waiting = self.waiting(trading_day)
        dropped = [each for each in waiting if each.broker_order_id == broker_order_id]
        for notice in dropped:
            self.rows.drop(_identity(trading_day, notice))
        return len(dropped)


def _identity(trading_day: date, notice: Notice) -> Hashable:
    """Give what makes two notices the same one."""
    fields = {f.name: getattr(notice, f.name) for f in dataclasses.fields(notice)}
    return trading_day, *(value for name, value in fields.items() if name != "received_at")
