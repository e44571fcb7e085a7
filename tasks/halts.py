"""This is the kill switch's acts: stop, go on, and cancel what is open."""

from __future__ import annotations

from contextlib import ExitStack

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import trading_halted, trading_resumed
from adapters.notifier import Message, Severity
from adapters.stores import AuditEntry
from tasks.desk import Desk
from trading.broker_books import BrokerOrder
from trading.errors import BrokerError, Rejected
from trading.halts import Halt
from trading.orders import OrderStatus


@task(cache_policy=NO_CACHE)
def put_halt(desk: Desk, halt: Halt) -> None:
    """Stop: the file first, because it works when the database does not, then the row and the audit.

    Each is written even if the one before could not be, and the owner is told whatever happened; then what
    went wrong is raised.
    """
    with ExitStack() as steps:  # carries them out from the last to the first, past any exception
        steps.callback(desk.tell, trading_halted(halt, desk.wording))
        steps.callback(_record, desk, halt)
        steps.callback(desk.halt_file.put, halt)


def _record(desk: Desk, halt: Halt) -> None:
    detail = {"state": halt.state.value, "reason": halt.reason, "strategy_id": halt.strategy_id}
    with desk.stores.begin() as work:
        work.halts.put(halt)
        work.audit.add(AuditEntry(halt.source, "halt", detail), at=halt.at)


@task(cache_policy=NO_CACHE)
def lift_halt(desk: Desk, *, source: str, strategy_id: str, reason: str) -> bool:
    """Go on: the row and the audit first, the file last, so that a crash in between stays stopped."""
    at = desk.now()
    with desk.stores.begin() as work:
        was_halted = work.halts.lift(source, strategy_id=strategy_id, reason=reason, at=at)
        work.audit.add(
            AuditEntry(source, "resume", {"reason": reason, "strategy_id": strategy_id}), at=at
        )
    was_halted = desk.halt_file.lift(source, strategy_id=strategy_id, at=at) or was_halted
    if was_halted:
        desk.tell(trading_resumed(reason, desk.wording, strategy_id=strategy_id))
    return was_halted


@task(cache_policy=NO_CACHE)
async def cancel_open(desk: Desk) -> tuple[str, ...]:
    """Cancel everything of ours that the broker itself shows as open; give the order numbers.

    Asks the broker, not our database, so that it works when the database is down.
    """
    rows = await desk.broker.orders_of_day(desk.today())
    canceled = [
        row.broker_order_id for row in rows if is_cancelable(row) and await _cancel(desk, row)
    ]
    return tuple(canceled)


def is_cancelable(row: BrokerOrder) -> bool:
    """Tell whether a row of the broker's is an open order of ours."""
    is_open = row.status in {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
    return row.is_ours and row.open_quantity > 0 and is_open


async def _cancel(desk: Desk, row: BrokerOrder) -> bool:
    try:
        await desk.broker.cancel(
            broker_order_id=row.broker_order_id, branch=row.branch, order_type=row.order_type
        )
    except Rejected:
        return False  # nothing left to cancel: it filled meanwhile, reconciliation books it
    except BrokerError as error:
        title = desk.wording.text("cancel.failed.title")
        desk.tell(Message(Severity.CRITICAL, title, f"{row.broker_order_id}: {error.message}"))
        return False
    return True
