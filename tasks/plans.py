"""This is planning a reconciliation: each part is planned from the book, and again under its lock when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Final

import structlog

from adapters.stores import UnitOfWork
from tasks.adoptions import open_book, plan_manual_order, plan_opening
from tasks.bookings import carry_out
from tasks.channels import LateMatch, ManualOrders
from tasks.desk import Desk
from tasks.doubts import Finding, examine, note
from tasks.looks import Look
from trading.broker_books import BrokerOrder
from trading.doubts import Ruling, matches
from trading.errors import BadInput, InvalidTransition, LedgerViolation
from trading.ledger import Ledger
from trading.manual_orders import BEFORE_OPENING, unexplained
from trading.orders import Order, Side
from trading.plans import (
    Act,
    BrokerDay,
    Step,
    end_past_day,
    follow_late_match,
    follow_row,
    follow_verdict,
    is_absent,
)
from trading.reconciliation import Difference, DifferenceKind

IMPOSSIBLE: Final = (LedgerViolation, InvalidTransition, BadInput)
"""What a row that cannot be true, or cannot be ours, raises; it must not keep the others from being booked."""


_LOG: Final = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Draft:
    """The steps of one part, and what a search showed if it was one."""

    steps: tuple[Step, ...]
    finding: Finding | None = None


@dataclass(frozen=True)
class Part:
    """What is decided and done together: one order, one row by hand, the opening."""

    subject: str
    symbol: str
    plan: Callable[[UnitOfWork], Draft]


@dataclass(frozen=True)
class Outcome:
    """What was planned or done, and what turned out to be impossible."""

    steps: tuple[Step, ...]
    impossible: tuple[Difference, ...]


def plan_all(desk: Desk, look: Look) -> tuple[Outcome, Ledger]:
    """Plan every part without changing anything; give our book as it would be then, too."""
    with desk.stores.begin() as work:
        ledger = work.ledger.load()

        def plan(part: Part) -> tuple[Step, ...]:
            nonlocal ledger
            steps = part.plan(work).steps
            fills = [step.execution for step in steps if step.execution]
            ledger = reduce(Ledger.post, fills, ledger)
            return steps

        return _collect(tuple(_parts(desk, work, look)), plan), ledger


def do_all(desk: Desk, look: Look) -> Outcome:
    """Plan and do every part, each in a transaction of its own; one that is impossible leaves the others alone.

    Raises:
        StoreUnavailable: when the database goes away; the parts done until then are whole.
    """
    with desk.stores.begin() as work:
        parts = tuple(_parts(desk, work, look))
        wanted = tuple(part for part in parts if _has_something_to_do(part, work))
    return _collect(wanted, partial(_do, desk, look))


def _has_something_to_do(part: Part, work: UnitOfWork) -> bool:
    try:
        draft = part.plan(work)
    except IMPOSSIBLE:
        return True
    for step in draft.steps:
        _LOG.info("planned", act=step.act.value, subject=step.subject, detail=step.detail)
    return bool(draft.steps) or draft.finding is not None


def _do(desk: Desk, look: Look, part: Part) -> tuple[Step, ...]:
    with desk.stores.begin() as work:
        draft = part.plan(work)
        for step in draft.steps:
            if step.act is Act.OPEN:
                open_book(desk, work, look)
            else:
                carry_out(work, step)
    if draft.finding is not None:
        note(desk, draft.finding)
    return draft.steps


def _collect(parts: tuple[Part, ...], take: Callable[[Part], tuple[Step, ...]]) -> Outcome:
    steps: list[Step] = []
    impossible: list[Difference] = []
    for part in parts:
        try:
            steps += take(part)
        except IMPOSSIBLE as problem:
            kind = DifferenceKind.IMPOSSIBLE
            impossible.append(Difference(kind, part.subject, "-", str(problem), part.symbol))
    return Outcome(tuple(steps), tuple(impossible))


def _parts(desk: Desk, work: UnitOfWork, look: Look) -> Iterator[Part]:
    """Give the parts in their order: opening, what is known, what is in doubt, what is by hand."""
    yield Part(desk.account, "", lambda work: Draft(plan_opening(work, look)))
    orders = [(order, day) for day in look.days for order in work.orders.of_day(day.day)]
    for order, day in sorted(orders, key=lambda each: each[0].is_in_doubt):
        if order.is_in_doubt or order.broker_order_id or is_absent(order) or order.is_open:
            name = order.client_order_id
            yield Part(name, order.symbol, partial(_plan_order, desk, look, day, name))
    if desk.channel.manual_orders is ManualOrders.ADOPT:
        for day in look.days:
            for row in unexplained(day.rows, work.orders.of_day(day.day)):
                yield Part(row.broker_order_id, row.symbol, partial(_plan_row, desk, day, row))


def _plan_row(desk: Desk, day: BrokerDay, row: BrokerOrder, work: UnitOfWork) -> Draft:
    return Draft(plan_manual_order(desk, work, row, day))


def _plan_order(desk: Desk, look: Look, day: BrokerDay, name: str, work: UnitOfWork) -> Draft:
    """Plan all of one order: its doubt, its fills, its state, its day's end."""
    order = work.orders.get(name)
    if order is None or order.error_code == BEFORE_OPENING:
        return Draft(())
    finding = examine(desk, work, order, day, look) if _is_sought(order) else None
    steps = list(_search_steps(desk, day, finding)) if finding else []
    order = steps[-1].order if steps else order
    row = day.row(order.broker_order_id) if order.broker_order_id else None
    if row is not None:
        terms = desk.terms(work, order.symbol, day.day)
        steps += follow_row(order, row, terms, is_day_over=day.is_over, at=day.at)
        order = steps[-1].order if steps else order
    if day.is_past:
        is_proven = _owned_after(work, order, steps) == look.held(order.symbol)
        steps += end_past_day(order, is_proven=is_proven, at=day.at)
    is_doubt = finding is not None and finding.order.is_in_doubt
    return Draft(tuple(steps), finding if is_doubt else None)


def _is_sought(order: Order) -> bool:
    return order.is_in_doubt or is_absent(order)


def _search_steps(desk: Desk, day: BrokerDay, finding: Finding) -> tuple[Step, ...]:
    order = finding.order
    if is_absent(order):
        found = matches(order, finding.submission, finding.scan)
        cancels = desk.channel.late_match is LateMatch.CANCEL and not day.is_past
        return follow_late_match(order, found, cancels=cancels, at=day.at)
    if day.is_past and finding.verdict.ruling is Ruling.ABSENT:
        return ()
    return follow_verdict(order, finding.verdict, at=day.at)


def _owned_after(work: UnitOfWork, order: Order, steps: list[Step]) -> int:
    """Count our shares of the order's symbol with what the steps will book."""
    sign = 1 if order.side is Side.BUY else -1
    booked = sum(step.execution.quantity for step in steps if step.execution)
    return work.ledger.load().position(order.symbol).quantity + sign * booked
