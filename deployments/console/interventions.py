"""This is stopping and going on, as far as database and broker are needed for it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from prefect.logging.handlers import PrefectConsoleHandler

from deployments.console.accounts import time_of
from deployments.console.rows import HALTS, halt_row
from deployments.console.services import ask
from deployments.console.speech import say
from deployments.console.steps import NotDone, Step, attempt, attempt_async, fail
from deployments.console.tables import paper, print_table
from flows.desk import open_desk
from flows.settings import load_settings
from flows.sources import note
from tasks.desk import Desk
from tasks.halts import cancel_open, entry_of, open_rows, put_halt
from tasks.resumptions import Resumption, resume
from trading.errors import MaemaeError
from trading.halts import Halt


def stop(act: Halt, *, cancels: bool) -> tuple[Step, ...]:
    """Write the halt's row, tell the owner and cancel what is open if asked; nothing here raises."""
    keep_terminal_clean()
    return asyncio.run(_stop(act, cancels=cancels))


def go_on(*, reason: str, strategy: str, symbol: str, accepts_differences: bool) -> bool:
    """Reconcile and lift what stops exactly this; tell whether nothing stops trading any more.

    Raises:
        MaemaeError: when database or broker cannot be asked or the books disagree; then everything stays as it is.
    """
    keep_terminal_clean()
    done = asyncio.run(
        _go_on(
            reason=reason,
            strategy_id=strategy,
            symbol=symbol,
            accepts_differences=accepts_differences,
        )
    )
    key = "resume.resumed" if done.lifted else "resume.not_halted"
    paper().print(say(key, differences=done.differences))
    if done.left:
        print_table(say("title.halts"), HALTS, map(halt_row, done.left))
    return not done.left


def keep_terminal_clean() -> None:
    """Take away the terminal that importing Prefect gave to every log; ours go to a file."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, PrefectConsoleHandler)]:
        root.removeHandler(handler)


async def _stop(act: Halt, *, cancels: bool) -> tuple[Step, ...]:
    try:
        async with open_desk(needs_database=False) as desk:
            return await _stop_at(desk, act, cancels=cancels)
    except Exception as error:  # noqa: BLE001 - the halt is on disk; tell what could not follow
        with suppress(MaemaeError):
            note(load_settings(), entry_of(act), at=act.at)
        names = ("database", "cancel") if cancels else ("database",)
        return tuple(fail(name, error) for name in names)


async def _stop_at(desk: Desk, act: Halt, *, cancels: bool) -> tuple[Step, ...]:
    """Do both at once: a database that hangs must not keep orders from being canceled."""
    record = asyncio.to_thread(attempt, "database", lambda: _record(desk, act))
    if not cancels:
        return (await record,)
    return tuple(await asyncio.gather(record, attempt_async("cancel", lambda: _cancel(desk))))


def _record(desk: Desk, act: Halt) -> str:
    market = ask("clock", lambda: time_of(desk.clock))
    put_halt.fn(desk, replace(act, at=market.value or act.at))
    return say("halt.recorded")


async def _cancel(desk: Desk) -> str:
    canceled = await cancel_open.fn(desk)
    left = [row.broker_order_id for row in await open_rows(desk, besides=canceled)]
    if left:
        raise NotDone(say("halt.still_open", numbers=", ".join(sorted(left))))
    return say("halt.canceled", count=len(canceled), numbers=", ".join(canceled))


async def _go_on(**wishes: Any) -> Resumption:
    async with open_desk() as desk:
        return await resume.fn(desk, **wishes)
