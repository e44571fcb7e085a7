"""This is the commands that end a doubt, `orders bind` and `orders absent`, and `reconcile`, which shows its plan."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from deployments.console.halts import DONE, NOT_ALL_DONE
from deployments.console.interventions import keep_terminal_clean
from deployments.console.rows import difference_row, step_row
from deployments.console.speech import option, say
from deployments.console.tables import Column, paper, print_json, print_table
from flows.desk import open_desk
from tasks.desk import Desk
from tasks.reconciliation import Reconciliation
from tasks.reconciliation import reconcile as compare
from tasks.rulings import bind_by_hand, declare_absent_by_hand
from trading.audits import OPERATOR, AuditEntry
from trading.errors import BadInput
from trading.orders import Order

STEPS: Final = (Column("act", "@act"), Column("subject"), Column("detail"))
DIFFERENCES: Final = (
    Column("kind", "@difference"),
    Column("subject"),
    Column("ours"),
    Column("theirs"),
)

type Identity = Annotated[str, option("doubtful_order")]
type Reason = Annotated[str, option("reason")]


def bind(order: Identity, number: Annotated[str, option("number")], /, *, reason: Reason) -> int:
    """Say which number of the broker's an order in doubt has."""
    return _end_doubt(reason, lambda desk: bind_by_hand(desk, order, number, reason=reason))


def absent(order: Identity, /, *, reason: Reason) -> int:
    """Say that the broker does not have an order in doubt."""
    return _end_doubt(reason, lambda desk: declare_absent_by_hand(desk, order, reason=reason))


def reconcile(
    *,
    dry_run: Annotated[bool, option("dry_run")] = False,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> int:
    """Bring our book to the broker's and print every step, or only print the plan.

    Gives 0 when nothing differs any more, 3 when something does.
    """
    keep_terminal_clean()
    done, heading = asyncio.run(_compare(dry_run=dry_run))
    steps = [step_row(step) for step in done.steps]
    differences = [difference_row(difference) for difference in done.differences]
    if as_json:
        figures = {"dry_run": dry_run, "orders_compared": done.orders, "is_clean": done.is_clean}
        print_json({**heading, **figures, "steps": steps, "differences": differences})
    else:
        print_table(say("title.plan" if dry_run else "title.steps"), STEPS, steps)
        print_table(say("title.differences"), DIFFERENCES, differences)
    return DONE if done.is_clean else NOT_ALL_DONE


async def _compare(*, dry_run: bool) -> tuple[Reconciliation, dict[str, Any]]:
    async with open_desk() as desk:
        heading = {
            "channel": desk.channel.channel,
            "account": desk.account,
            "trading_day": desk.today(),
        }
        if not dry_run:
            with desk.stores.begin() as work:
                work.audit.add(AuditEntry(OPERATOR, "reconcile"), at=desk.now())
        return await compare.fn(desk, dry_run=dry_run), heading


def _end_doubt(reason: str, act: Callable[[Desk], Awaitable[Order]]) -> int:
    if not reason.strip():
        raise BadInput("--reason", reason, "a few words why, for the audit log")
    keep_terminal_clean()
    order = asyncio.run(_with_desk(act))
    figures = {"order": order.client_order_id, "status": order.status}
    paper().print(say("doubts.ended", filled=order.filled_quantity, **figures))
    return DONE


async def _with_desk(act: Callable[[Desk], Awaitable[Order]]) -> Order:
    async with open_desk() as desk:
        return await act(desk)
