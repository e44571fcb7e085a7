"""This is the kill switch's acts: stop, lift what stopped, and cancel what is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.halt_messages import trading_halted
from adapters.notifier import Message, Severity
from adapters.stores import AuditEntry
from tasks.desk import Desk
from trading.audits import OPERATOR
from trading.broker_books import BrokerOrder
from trading.errors import BrokerError, DiskFull, StoreUnavailable
from trading.halts import Halt, tightened
from trading.orders import Order, OrderStatus, OrderType

_OPEN: Final = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED})
PAUSES: Final = (0.0, 0.5, 1.5)
"""Seconds before each look: an order that left a moment before the halt comes late, and a cancel may fail once."""


@dataclass(frozen=True, slots=True)
class Cancelable:
    """What a cancel names of an order."""

    broker_order_id: str
    branch: str
    order_type: OrderType

    @classmethod
    def of_row(cls, row: BrokerOrder) -> Cancelable:
        """Name what a row shows."""
        return cls(row.broker_order_id, row.branch, row.order_type)

    @classmethod
    def of_order(cls, order: Order) -> Cancelable:
        """Name an order as we know it."""
        return cls(order.broker_order_id, order.broker_branch, order.intent.order_type)


@task(cache_policy=NO_CACHE)
def put_halt(desk: Desk, halt: Halt) -> None:
    """Stop: the file first, because it works when the database does not, then the row and the audit.

    Each is written even if the one before could not be, and the owner is told whatever happened; then what
    went wrong is raised. A halt never loosens the same one that stands already.
    """
    with ExitStack() as steps:  # carries them out from the last to the first, past any exception
        steps.callback(desk.tell, trading_halted(halt, desk.wording))
        steps.callback(record_halt, desk, halt)
        steps.callback(desk.halt_file.put, halt)


def record_halt(desk: Desk, halt: Halt) -> None:
    """Write the row and the audit alone; without a database the audit's waits on disk.

    Raises:
        StoreUnavailable: when there is no row.
    """
    try:
        with desk.stores.begin() as work:
            act = tightened(halt, work.halts.in_force())
            work.halts.put(act)
            work.audit.add(entry_of(act), at=act.at)
    except StoreUnavailable:
        with suppress(DiskFull):
            desk.stores.keep_act(entry_of(halt), at=halt.at)
        raise


def entry_of(halt: Halt) -> AuditEntry:
    """Give what the audit log says of a halt."""
    detail = {"state": halt.state.value, "reason": halt.reason, **_scope(halt)}
    return AuditEntry(halt.source, "halt", detail)


@task(cache_policy=NO_CACHE)
def lift_halt(
    desk: Desk, *, source: str, strategy_id: str = "", symbol: str = "", reason: str
) -> bool:
    """Lift one halt: the row and the audit first, the file last, so that a crash in between stays stopped."""
    at = desk.now()
    scope = {"strategy_id": strategy_id, "symbol": symbol}
    with desk.stores.begin() as work:
        was_halted = work.halts.lift(source, **scope, reason=reason, at=at)
        detail = {"reason": reason, **scope, "by": OPERATOR}
        work.audit.add(AuditEntry(source, "resume", detail), at=at)
    return desk.halt_file.lift(source, **scope, at=at) or was_halted


@task(cache_policy=NO_CACHE)
async def cancel_open(desk: Desk, *, pauses: Sequence[float] = PAUSES) -> tuple[str, ...]:
    """Cancel everything of ours that the broker itself shows as open; give the order numbers.

    Asks the broker: neither our database nor our calendar is needed. Where the database answers, the numbers that
    it knows count too, as rows come late or not at all. What could not be canceled is told to the owner.

    Raises:
        BrokerError: when the last look at the broker's orders failed; what we know of is canceled all the same.
    """
    canceled: list[str] = []
    failed: dict[str, BrokerError] = {}
    unread: BrokerError | None = None
    for pause in pauses:
        await asyncio.sleep(pause)
        rows, unread = await _read_rows(desk)
        failed.clear()  # what is not open any more has filled meanwhile: reconciliation books it
        for each in chain(_shown(rows), _unseen(desk, rows)):
            if each.broker_order_id in canceled:
                continue
            try:
                await send_cancel(desk, each)
            except BrokerError as error:
                failed[each.broker_order_id] = error
            else:
                canceled.append(each.broker_order_id)
    for number, problem in failed.items():
        title = desk.wording.text("cancel.failed.title")
        desk.tell(Message(Severity.CRITICAL, title, f"{number}: {problem.message}"))
    if unread is not None:
        raise unread
    return tuple(canceled)


async def open_rows(desk: Desk, *, besides: Iterable[str] = ()) -> tuple[BrokerOrder, ...]:
    """Give the orders of ours that the broker shows as open today, without those numbered in `besides`."""
    rows = await desk.broker.orders_of_day(desk.today())
    others = frozenset(besides)
    return tuple(row for row in _open_of_ours(rows) if row.broker_order_id not in others)


async def _read_rows(desk: Desk) -> tuple[tuple[BrokerOrder, ...], BrokerError | None]:
    """Give the broker's orders of today, none and the reason when they cannot be read."""
    try:
        return await desk.broker.orders_of_day(desk.today()), None
    except BrokerError as problem:
        return (), problem


def _open_of_ours(rows: Iterable[BrokerOrder]) -> Iterator[BrokerOrder]:
    return living(rows, lambda row: row.is_ours)


def living(
    rows: Iterable[BrokerOrder], is_meant: Callable[[BrokerOrder], bool]
) -> Iterator[BrokerOrder]:
    """Give what is open of the orders that are meant, `rows` oldest first.

    One that was changed by hand lives on under a later number.
    """
    numbers: set[str] = set()
    for row in rows:
        if is_meant(row) or row.original_id in numbers:
            numbers.add(row.broker_order_id)
            if row.open_quantity > 0 and row.status in _OPEN:
                yield row


def _shown(rows: Iterable[BrokerOrder]) -> Iterator[Cancelable]:
    for row in _open_of_ours(rows):
        yield Cancelable.of_row(row)


def _unseen(desk: Desk, rows: Iterable[BrokerOrder]) -> Iterator[Cancelable]:
    """Give our open orders whose rows are late; a database that is away is asked when all else is canceled."""
    orders: tuple[Order, ...] = ()
    with suppress(StoreUnavailable), desk.stores.begin() as work:
        orders = work.orders.open()
    shown = {"", *(row.broker_order_id for row in rows)}
    for order in orders:
        if order.intent.trading_day == desk.today() and order.broker_order_id not in shown:
            yield Cancelable.of_order(order)


async def send_cancel(desk: Desk, order: Cancelable) -> None:
    """Send a cancel once."""
    await desk.broker.cancel(
        broker_order_id=order.broker_order_id, branch=order.branch, order_type=order.order_type
    )


def _scope(halt: Halt) -> dict[str, str]:
    return {"strategy_id": halt.strategy_id, "symbol": halt.symbol}
