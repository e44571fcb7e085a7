"""This is the kill switch's acts: stop, lift what stopped, and cancel what is open."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress

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
from trading.orders import OrderStatus

LOOKS = 2
"""Canceling looks again: an order that left a moment before the halt comes late, and a cancel may fail once."""


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
async def cancel_open(desk: Desk) -> tuple[str, ...]:
    """Cancel everything of ours that the broker itself shows as open; give the order numbers.

    Asks the broker and nobody else: neither our database nor our calendar is needed. What could not be canceled
    is told to the owner.
    """
    canceled: list[str] = []
    failed: dict[str, BrokerError] = {}
    for _ in range(LOOKS):
        rows = await open_rows(desk, besides=canceled)
        failed.clear()  # what is not open any more has filled meanwhile: reconciliation books it
        for row in rows:
            try:
                await _cancel(desk, row)
            except BrokerError as error:
                failed[row.broker_order_id] = error
            else:
                canceled.append(row.broker_order_id)
    for number, problem in failed.items():
        title = desk.wording.text("cancel.failed.title")
        desk.tell(Message(Severity.CRITICAL, title, f"{number}: {problem.message}"))
    return tuple(canceled)


async def open_rows(desk: Desk, *, besides: Iterable[str] = ()) -> tuple[BrokerOrder, ...]:
    """Give the orders of ours that the broker shows as open today, without those numbered in `besides`."""
    rows = await desk.broker.orders_of_day(desk.today())
    others = frozenset(besides)
    return tuple(r for r in rows if is_cancelable(r) and r.broker_order_id not in others)


def is_cancelable(row: BrokerOrder) -> bool:
    """Tell whether a row of the broker's is an open order of ours."""
    is_open = row.status in {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
    return row.is_ours and row.open_quantity > 0 and is_open


async def _cancel(desk: Desk, row: BrokerOrder) -> None:
    await desk.broker.cancel(
        broker_order_id=row.broker_order_id, branch=row.branch, order_type=row.order_type
    )


def _scope(halt: Halt) -> dict[str, str]:
    return {"strategy_id": halt.strategy_id, "symbol": halt.symbol}
