"""This is looking for orders in doubt: what each look shows of them, and what the owner is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from adapters.reconciliation_messages import doubt_unresolved
from adapters.stores import UnitOfWork
from tasks.desk import Desk
from tasks.looks import Look
from trading.doubts import (
    PAPER_PATIENCE,
    PATIENCE,
    PAUSES,
    Ground,
    Ruling,
    Scan,
    Verdict,
    after_scan,
    is_quiet,
    judge,
)
from trading.orders import Order, Side
from trading.plans import BrokerDay, is_absent
from trading.submissions import Submission

REPLY_COMES: Final = timedelta(seconds=PAUSES[0])
"""So soon a reply usually comes; an order that was sent a moment ago is in nobody's doubt."""
TELL_AFTER: Final = timedelta(seconds=120)
"""So long a doubt may last before the owner is asked to look; what needs a person is told at once."""
NEEDS_A_PERSON: Final = frozenset({Ground.SEVERAL_ROWS})
TOLD: Final = "doubt told"
"""The line of the timeline which says that the owner knows."""


@dataclass(frozen=True)
class Finding:
    """What one look shows of an order in doubt; `submission` already counts it."""

    order: Order
    submission: Submission
    scan: Scan
    verdict: Verdict


def examine(desk: Desk, work: UnitOfWork, order: Order, day: BrokerDay, look: Look) -> Finding:
    """Hold an order in doubt, or one declared absent, against a look at the broker's book."""
    submission = submission_of(work, order)
    scan = _scan(work, order, submission, day, look)
    search = after_scan(order, submission, scan)
    submission = replace(submission, search=search)
    is_paper = desk.channel.channel == "paper"
    patience = PAPER_PATIENCE if is_paper else PATIENCE
    return Finding(order, submission, scan, judge(order, submission, scan, patience=patience))


def submission_of(work: UnitOfWork, order: Order) -> Submission:
    """Give the evidence of an order; one without any (older than this program) can be bound, never absent."""
    return work.submissions.get(order.client_order_id) or Submission(
        client_order_id=order.client_order_id,
        fence=0,
        body={},
        sent_at=order.submitted_at or order.updated_at,
        known_numbers=(),
        highest_number="",
        held=0,
        sellable=0,
        buyable_cash=-1,  # equals no figure of an account
    )


def has_doubt(desk: Desk, *, since: timedelta = REPLY_COMES) -> bool:
    """Tell whether an order is in doubt since so long; one sent a moment ago may just wait for its reply."""
    at = desk.now()
    with desk.stores.begin() as work:
        doubtful = [order for order in work.orders.open() if order.is_in_doubt]
    return any(at - (order.submitted_at or order.updated_at) >= since for order in doubtful)


def has_absent(desk: Desk) -> bool:
    """Tell whether an order of today was declared absent: its row may turn up until the close."""
    with desk.stores.begin() as work:
        return any(is_absent(order) for order in work.orders.of_day(desk.today()))


def note(desk: Desk, finding: Finding) -> None:
    """Write how far the search has come, and tell the owner once when it needs him."""
    order, at = finding.order, finding.scan.at
    with desk.stores.begin() as work:
        if work.submissions.get(order.client_order_id) is not None:
            work.submissions.note(order.client_order_id, finding.submission.search)
        current = work.orders.get(order.client_order_id)
        timeline = work.orders.timeline(order.client_order_id)
        is_known = any(event.detail == TOLD for event in timeline)
        if is_known or current is None or not current.is_in_doubt or not _is_overdue(finding):
            return
        work.orders.save(replace(current, updated_at=at), detail=TOLD)
    name = desk.name(order.symbol)
    desk.tell(doubt_unresolved(order, finding.submission, finding.verdict, desk.wording, name=name))


def _is_overdue(finding: Finding) -> bool:
    is_long = finding.scan.at - finding.submission.sent_at >= TELL_AFTER
    is_kept = finding.verdict.ruling is Ruling.KEEP
    return is_kept and (is_long or finding.verdict.ground in NEEDS_A_PERSON)


def _scan(
    work: UnitOfWork, order: Order, submission: Submission, day: BrokerDay, look: Look
) -> Scan:
    others = work.orders.of_day(day.day)
    bound = frozenset(each.broker_order_id for each in others if each.broker_order_id)
    is_sell = order.side is Side.SELL
    return Scan(
        at=look.at,
        rows=day.rows,
        bound=bound,
        addresses=frozenset(
            row.address
            for row in day.rows
            if row.broker_order_id in bound and row.is_ours and row.address
        ),
        notices=work.notices.waiting(day.day),
        free=look.sellable(order.symbol) if is_sell else look.buyable_cash,
        held=look.held(order.symbol),
        owned=work.ledger.load().position(order.symbol).quantity,
        is_quiet=is_quiet(order, submission, day.rows, others),
    )
