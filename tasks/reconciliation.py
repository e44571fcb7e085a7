"""This is bringing our book to the broker's: doubt, fills, states, then positions and cash compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import differences_found, execution_booked
from adapters.stores import AuditEntry, UnitOfWork
from tasks.adoptions import adopt
from tasks.bookings import Booked, book
from tasks.desk import Desk
from trading.bookings import execution_from_row, order_after_day, order_after_row
from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.orders import Order, OrderStatus
from trading.reconciliation import (
    Difference,
    DifferenceKind,
    compare_cash,
    compare_orders,
    compare_positions,
    fold_modifications,
    matches_in_doubt,
)
from trading.sessions import session_of

CLOSING_DELAY = timedelta(minutes=1)
"""How long after the close the last fills may still be on their way into the broker's rows."""
MOVING = frozenset(
    {
        DifferenceKind.FILL_MISSING,
        DifferenceKind.FILL_UNPROVEN,
        DifferenceKind.POSITION,
        DifferenceKind.CASH,
    }
)
"""What a fill between two answers of the broker's looks like."""
TOLD = "differences"
"""The audit entry of the differences that the owner knows of."""


@dataclass(frozen=True)
class Reconciliation:
    """What one comparison found and did. `differences` are those that remain."""

    at: datetime
    orders: int = 0
    booked: tuple[Booked, ...] = ()
    settled: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = field(default_factory=tuple)

    @property
    def is_clean(self) -> bool:
        """Whether both books agree, orders placed by hand aside."""
        return all(d.kind is DifferenceKind.ORDER_FOREIGN for d in self.differences)


@dataclass(frozen=True)
class BrokerDay:
    """The broker's rows of one day, read at `at`.

    `is_over`: the session has ended and its fills are in. `is_past`: another day has begun, so that what the
    rows do not show will never come.
    """

    day: date
    rows: tuple[BrokerOrder, ...]
    at: datetime
    is_over: bool
    is_past: bool


@task(cache_policy=NO_CACHE)
async def reconcile(desk: Desk) -> Reconciliation:
    """Compare our book with the broker's and book what the broker's rows prove.

    Covers today and every earlier day with an order that we still call open. Reads all of the broker's book
    first (any failure raises and changes nothing), then writes each order in a transaction of its own. Orders
    placed by hand are named, never touched; positions and cash are only named, and only if a second look shows
    the difference too: fills go on between one answer of the broker's and the next.
    """
    done = await _compare(desk)
    if any(difference.kind in MOVING for difference in done.differences):
        again = await _compare(desk)
        done = replace(
            again,
            booked=(*done.booked, *again.booked),
            settled=(*done.settled, *again.settled),
            adopted=(*done.adopted, *again.adopted),
        )
    _tell_differences(desk, done.differences, at=done.at)
    return done


async def _compare(desk: Desk) -> Reconciliation:
    asked_at, today = desk.now(), desk.today()
    rows = {day: await desk.broker.orders_of_day(day) for day in _open_days(desk, today)}
    positions = await desk.broker.get_positions()
    balance = await desk.broker.get_balance()
    at = desk.now()
    adopted = adopt(desk, positions, balance, rows[today], at=at)
    days = [
        BrokerDay(day, fold_modifications(found), at, _is_over(day, asked_at), is_past=day < today)
        for day, found in rows.items()
    ]
    settled = [name for day in days for name in _settle_doubt(desk, day)]
    booked = [one for day in days for one in _book_rows(desk, day)]
    for day in days:
        _close_past(desk, day)
    differences = _differences(desk, days, positions, balance)
    return Reconciliation(
        at, sum(map(len, rows.values())), tuple(booked), tuple(settled), adopted, differences
    )


def _open_days(desk: Desk, today: date) -> tuple[date, ...]:
    with desk.stores.begin() as work:
        return tuple(sorted({today, *(order.intent.trading_day for order in work.orders.open())}))


def _is_over(day: date, at: datetime) -> bool:
    return at >= session_of(day).closes_at + CLOSING_DELAY


def _settle_doubt(desk: Desk, day: BrokerDay) -> tuple[str, ...]:
    """Bind an order in doubt to the only row that can be it; none or several leave it in doubt.

    Once the day is past, an order that none of the rows' fills can be has come to nothing.
    """
    settled = []
    with desk.stores.begin() as work:
        orders = work.orders.of_day(day.day)
        bound = frozenset(order.broker_order_id for order in orders if order.broker_order_id)
        for order in (order for order in orders if order.is_in_doubt):
            rows = matches_in_doubt(order, day.rows, bound)
            match rows:
                case (row,):
                    bound |= {row.broker_order_id}
                    after = order.accept(row.broker_order_id, branch=row.branch, at=day.at)
                case _ if day.is_past and not any(row.filled_quantity for row in rows):
                    words = "the broker's book of the day shows no fill of it"
                    after = order.reject("NEVER_FILLED", words, at=day.at)
                case _:
                    continue
            work.orders.save(after, detail="settled by inquiry")
            settled.append(order.client_order_id)
    return tuple(settled)


def _book_rows(desk: Desk, day: BrokerDay) -> tuple[Booked, ...]:
    """Book and tell what was filled according to the rows; those of cancels and modifies are folded into them."""
    found = (_book_row(desk, day, row) for row in day.rows if not row.original_id)
    booked = []
    for one in found:
        if one is not None and one.execution is not None:
            booked.append(one)
            name = desk.name(one.order.symbol)
            desk.tell(execution_booked(one.execution, one.order, desk.wording, name=name))
    return tuple(booked)


def _book_row(desk: Desk, day: BrokerDay, row: BrokerOrder) -> Booked | None:
    """Book one row: fill, order, ledger, position and outbox change together or not at all."""
    with desk.stores.begin() as work:
        order = work.orders.by_broker_id(day.day, row.broker_order_id)
        if order is None:
            return None
        terms = desk.terms(work, order.symbol, day.day)
        execution = execution_from_row(order, row, terms, at=day.at)
        if execution is not None:
            order = book(work, order, execution)
        after = order_after_row(order, row, is_day_over=day.is_over, at=day.at)
        if after != order:
            work.orders.save(after, detail="inquiry")
    return Booked(after, execution)


def _close_past(desk: Desk, day: BrokerDay) -> None:
    """Close what an earlier day left open whatever its rows say: no order outlives its day.

    An order in doubt that one of several fills may be stays for people to decide.
    """
    if not day.is_past:
        return
    with desk.stores.begin() as work:
        for order in work.orders.of_day(day.day):
            if order.is_open and not order.is_in_doubt:
                work.orders.save(order_after_day(order, at=day.at), detail="the day is past")


def _differences(
    desk: Desk,
    days: Sequence[BrokerDay],
    positions: Sequence[BrokerPosition],
    balance: Balance,
) -> tuple[Difference, ...]:
    with desk.stores.begin() as work:
        found = [d for day in days for d in compare_orders(_sent(work, day.day), day.rows)]
        ledger = work.ledger.load()
    return (*found, *compare_positions(ledger, positions), *compare_cash(ledger, balance))


def _sent(work: UnitOfWork, day: date) -> tuple[Order, ...]:
    orders = work.orders.of_day(day)
    return tuple(order for order in orders if order.status is not OrderStatus.DENIED)


def _tell_differences(desk: Desk, differences: Sequence[Difference], *, at: datetime) -> None:
    """Tell the differences if they are others than those told last: an alarm at every turn is none."""
    found = [[d.kind.value, d.subject, d.ours, d.theirs] for d in differences]
    with desk.stores.begin() as work:
        told = [e.detail["found"] for _, e in work.audit.last() if e.action == TOLD]
        if found == (told[0] if told else []):
            return
        work.audit.add(AuditEntry("reconciliation", TOLD, {"found": found}), at=at)
    if differences:
        desk.tell(differences_found(differences, desk.wording))
