"""This is the buffer of notices whose order number belongs to no order yet: kept, applied when it does, or dropped."""

from __future__ import annotations

from datetime import date

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from tasks.fills import NoticeOutcome, apply_notice
from tasks.looks import Look
from trading.notices import Notice


def apply_waiting(desk: Desk, *, trading_day: date) -> frozenset[NoticeOutcome]:
    """Apply the notices whose number has become an order's; the others wait on. Give what became of them."""
    with desk.stores.begin() as work:
        waiting = work.notices.waiting(trading_day)
    outcomes: set[NoticeOutcome] = set()
    for number in dict.fromkeys(notice.broker_order_id for notice in waiting):
        mine = [notice for notice in waiting if notice.broker_order_id == number]
        found = {apply_notice(desk, notice, trading_day=trading_day) for notice in mine}
        if NoticeOutcome.UNKNOWN_ORDER not in found:
            _drop(desk, trading_day, number)
        outcomes |= found
    return frozenset(outcomes)


def release_notices(desk: Desk, seen: Look) -> None:
    """After a look: apply what has become known, and let go of what its rows explain otherwise."""
    for day in seen.days:
        apply_waiting(desk, trading_day=day.day)
        shown = {row.broker_order_id for row in day.rows}
        with desk.stores.begin() as work:
            for number in {n.broker_order_id for n in beside_doubts(work, day.day)} & shown:
                work.notices.drop(day.day, number)


def beside_doubts(work: UnitOfWork, trading_day: date) -> tuple[Notice, ...]:
    """Give the waiting notices that cannot be of an order in doubt: another symbol's, or the other side's."""
    doubtful = {(o.symbol, o.side) for o in work.orders.of_day(trading_day) if o.is_in_doubt}
    waiting = work.notices.waiting(trading_day)
    needed = {n.broker_order_id for n in waiting if (n.symbol, n.side) in doubtful}
    return tuple(notice for notice in waiting if notice.broker_order_id not in needed)


def _drop(desk: Desk, trading_day: date, number: str) -> None:
    with desk.stores.begin() as work:
        work.notices.drop(trading_day, number)
