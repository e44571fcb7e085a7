"""This is bringing our book to the broker's (대사): look, plan, do what is proven, name what differs still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog
from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import differences_found
from adapters.stores import AuditEntry, UnitOfWork
from tasks.bookings import tell_fills
from tasks.desk import Desk
from tasks.late_matches import cancel_late_matches
from tasks.looks import Look, look
from tasks.notices import release_notices
from tasks.plans import Outcome, do_all, plan_all
from tasks.quarantines import (
    carry_out_quarantine,
    differing_symbols,
    plan_quarantines,
    stopping_of,
    tell_quarantine,
    written,
)
from tasks.trips import check_trips
from trading.orders import Order, OrderStatus
from trading.plans import Act, BrokerDay, Step
from trading.reconciliation import (
    Difference,
    DifferenceKind,
    compare_cash,
    compare_orders,
    compare_positions,
)

MOVING: Final = frozenset(
    {
        DifferenceKind.FILL_MISSING,
        DifferenceKind.FILL_UNPROVEN,
        DifferenceKind.POSITION,
        DifferenceKind.CASH,
    }
)
"""What a fill between two answers of the broker's looks like."""
TOLD: Final = "differences"
"""The audit entry of the differences that the owner knows of."""
AUDIT_DEPTH: Final = 1_000
_LOG: Final = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciliation:
    """What one comparison planned or did, step by step, and the differences that remain."""

    at: datetime
    orders: int = 0
    steps: tuple[Step, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def booked(self) -> tuple[Step, ...]:
        """The fills that were booked."""
        return self._of(Act.BOOK)

    @property
    def settled(self) -> tuple[str, ...]:
        """The orders whose doubt has ended."""
        return tuple(step.subject for step in self._of(Act.BIND, Act.ABSENT))

    @property
    def adopted(self) -> tuple[str, ...]:
        """What was taken over into an empty book."""
        return tuple(part for step in self._of(Act.OPEN) for part in step.detail.split(", "))

    @property
    def is_clean(self) -> bool:
        """Whether both books agree, orders placed by hand aside."""
        return all(d.kind is DifferenceKind.ORDER_FOREIGN for d in self.differences)

    def _of(self, *acts: Act) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.act in acts)


@task(cache_policy=NO_CACHE)
async def reconcile(desk: Desk, *, dry_run: bool = False) -> Reconciliation:
    """Compare our book with the broker's and do what the broker's rows prove; a dry run only plans it.

    Covers today and every earlier day with an order that we still call open. Reads all of the broker's book
    first (any failure raises and changes nothing), then does each part in a transaction of its own. What differs
    is named only if a second look shows it too: fills go on between one answer of the broker's and the next.
    A difference of one symbol stops that symbol; one of the cash stops nothing.

    Raises:
        BrokerError: when the broker's book cannot be read whole.
        StoreUnavailable: when the database goes away; what was done until then is whole.
    """
    seen = await look(desk)
    if dry_run:
        return _planned(desk, seen)
    done = _settle(desk, seen)
    if any(difference.kind in MOVING for difference in done.differences):
        seen = await look(desk, with_yesterday=True)
        again = _settle(desk, seen)
        first = set(done.differences)
        done = replace(again, steps=(*done.steps, *again.steps))
        steady = [d for d in done.differences if d.kind not in MOVING or d in first]
    else:
        steady = list(done.differences)
    done = _conclude(desk, seen, done, steady)
    await cancel_late_matches(desk, done.steps)
    check_trips(desk, prices={p.symbol: p.last for p in seen.positions})
    return done


def _planned(desk: Desk, seen: Look) -> Reconciliation:
    """Plan everything; `differences` are those of now, symbols stop for what the plan would leave."""
    outcome, ledger = plan_all(desk, seen)
    found = (*outcome.impossible, *_differences(desk, seen))
    left = [d for d in found if d.kind is not DifferenceKind.POSITION]
    if all(step.act is not Act.OPEN for step in outcome.steps):
        left += compare_positions(ledger, seen.positions)
    with desk.stores.begin() as work:
        stopping = stopping_of(desk, work, seen, left)
        differing = differing_symbols(left)
        stops = plan_quarantines(work, stopping, differing, before=_told(work).stopping)
    return _reconciliation(seen, (*outcome.steps, *stops), found)


def _settle(desk: Desk, seen: Look) -> Reconciliation:
    """Do what one look proves, tell it, and compare again."""
    outcome: Outcome = do_all(desk, seen)
    for step in outcome.steps:
        _LOG.info("reconciled", act=step.act.value, subject=step.subject, detail=step.detail)
    tell_fills(desk, outcome.steps)
    release_notices(desk, seen)
    found = (*outcome.impossible, *_differences(desk, seen))
    return _reconciliation(seen, outcome.steps, found)


def _reconciliation(
    seen: Look, steps: tuple[Step, ...], differences: tuple[Difference, ...]
) -> Reconciliation:
    return Reconciliation(seen.at, sum(len(day.rows) for day in seen.days), steps, differences)


def _differences(desk: Desk, seen: Look) -> tuple[Difference, ...]:
    with desk.stores.begin() as work:
        found = [d for day in seen.days for d in _compare_day(work, day)]
        ledger = work.ledger.load()
    return (
        *found,
        *compare_positions(ledger, seen.positions),
        *compare_cash(ledger, seen.balance),
    )


def _compare_day(work: UnitOfWork, day: BrokerDay) -> tuple[Difference, ...]:
    """Compare the orders of a day; what is by hand is named on its own day only."""
    found = compare_orders(_sent(work, day), day.rows)
    return tuple(d for d in found if not (day.is_past and d.kind is DifferenceKind.ORDER_FOREIGN))


def _sent(work: UnitOfWork, day: BrokerDay) -> tuple[Order, ...]:
    orders = work.orders.of_day(day.day)
    return tuple(order for order in orders if order.status is not OrderStatus.DENIED)


@dataclass(frozen=True)
class Told:
    """What the owner was told last, and for which of it a symbol had to stop."""

    found: list[list[str]] = field(default_factory=list)
    stopping: list[list[str]] = field(default_factory=list)


def _conclude(
    desk: Desk, seen: Look, done: Reconciliation, steady: Sequence[Difference]
) -> Reconciliation:
    """Stop and release symbols, and tell the differences if they are others than those told last.

    An alarm at every turn is none. Only what is `steady` stops a symbol.
    """
    with desk.stores.begin() as work:
        before = _told(work)
        stopping = stopping_of(desk, work, seen, steady)
        differing = differing_symbols(done.differences)
        steps = plan_quarantines(work, stopping, differing, before=before.stopping)
        for step in steps:
            carry_out_quarantine(work, step, seen)
        now = Told([*map(written, done.differences)], [*map(written, stopping)])
        if now != before:
            detail = {"found": now.found, "stopping": now.stopping}
            work.audit.add(AuditEntry("reconciliation", TOLD, detail), at=done.at)
    for step in steps:
        tell_quarantine(desk, step)
    if now.found and now.found != before.found:
        desk.tell(differences_found(done.differences, desk.wording))
    return replace(done, steps=(*done.steps, *steps))


def _told(work: UnitOfWork) -> Told:
    entries = work.audit.last(count=AUDIT_DEPTH)
    details = (entry.detail for _, entry in entries if entry.action == TOLD)
    last = next(details, None)
    return Told(last["found"], last.get("stopping", [])) if last else Told()
