"""This is how every flow is told: guards first, one copy only, then the story, its sentence and its table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Final

from prefect import get_run_logger, runtime
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed
from structlog.contextvars import bound_contextvars

from adapters.clock import SystemClock
from flows.turns import watching
from tasks.desk import Desk
from tasks.disks import stopping_when_full
from trading.halts import TradingState, strictest
from trading.sessions import KST, Session, session_of

REGULAR_HOURS = (time(9, 0), time(15, 30))
"""The hours that the schedules in prefect.yaml are written for, in Seoul."""
OVERTAKEN: Final = "Overtaken"
"""The state of a run that ended in order because another copy has its lock: nobody cancelled it, nothing failed."""


@dataclass(frozen=True)
class Story:
    """What a run did: one sentence for people and rows for the table beside it."""

    sentence: str
    rows: Sequence[Mapping[str, str]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Guard:
    """What must hold before a flow may act; a run that may not ends as "Skipped" with the reason."""

    needs_session: bool = True
    is_time_critical: bool = False
    needs_trading: bool = False
    follows_session: bool = False
    """Before 09:00 wait as much longer as the day opens later, after 15:30 as it closes later."""
    strategy_id: str = ""
    """A run for one strategy: a copy of its own, stopped by that strategy's halts too."""


async def perform(
    desk: Desk,
    name: str,
    guard: Guard,
    body: Callable[[], Awaitable[Story]],
    *,
    on_overtaken: Callable[[], None] | None = None,
) -> State[None]:
    """Run `body` as the only copy of flow `name` if the guard allows, and publish its story.

    `on_overtaken` of a body that takes long is called when the database has lost our lock and another copy has it;
    the run ends as "Overtaken" then.
    """
    await _name_run(desk, name)
    if desk.is_file_ahead:
        get_run_logger().warning(desk.wording.text("config.file_ahead", version=desk.version))
    if (reason := skip_reason(desk, guard, lateness=_lateness())) is not None:
        return Completed(name="Skipped", message=reason)
    if guard.follows_session:
        await _wait_for_session(desk)
    copy = ":".join(part for part in ("flow", name, guard.strategy_id) if part)
    with desk.stores.lock(copy) as only_copy:
        if not only_copy:
            return Completed(name="Skipped", message=desk.wording.text("skip.running", flow=name))
        run_id = str(runtime.flow_run.id)
        with bound_contextvars(flow=name, flow_run_id=run_id), stopping_when_full(desk):
            async with watching(only_copy, on_overtaken) as overtaken:
                story = await body()
    if not overtaken.is_set():
        return await publish(name, story)
    words = desk.wording.text("story.overtaken", flow=name, story=story.sentence)
    return await publish(name, replace(story, sentence=words), state=OVERTAKEN)


async def publish(name: str, story: Story, *, state: str | None = None) -> State[None]:
    """Write the sentence to the run's log and its table beside it; give the run's last state, "Completed" unless named."""
    get_run_logger().info(story.sentence)
    await acreate_table_artifact(
        key=name, table=[dict(row) for row in story.rows], description=story.sentence
    )
    return Completed(name=state, message=story.sentence)


def skip_reason(desk: Desk, guard: Guard, *, lateness: timedelta) -> str | None:
    """Say why a run must not act now, None when it may."""
    if guard.needs_session and desk.session() is None:
        return desk.wording.text("skip.holiday", day=desk.today())
    limit = timedelta(seconds=desk.channel.lateness_seconds)
    if guard.is_time_critical and lateness > limit:
        return desk.wording.text("skip.late", seconds=int(lateness.total_seconds()))
    if guard.needs_trading:
        return _halt_reason(desk, guard.strategy_id)
    return None


def _halt_reason(desk: Desk, strategy_id: str) -> str | None:
    with desk.stores.begin() as work:
        halts = desk.halts(work)
    if strictest(halts, strategy_id=strategy_id) is not TradingState.HALTED:
        return None
    concerning = (halt for halt in halts if halt.concerns(strategy_id))
    reasons = "; ".join(f"{halt.source}: {halt.reason}" for halt in concerning)
    return desk.wording.text("skip.halted", reasons=reasons)


def _lateness() -> timedelta:
    """Measure on the computer's clock, which Prefect schedules by, how late this run started."""
    scheduled: datetime | None = runtime.flow_run.scheduled_start_time
    if scheduled is None:
        return timedelta()
    return max(SystemClock().now() - scheduled, timedelta())


async def _wait_for_session(desk: Desk) -> None:
    """Wait as long as today's hours are later than usual (first day of the year, exam day)."""
    started_at = desk.now()
    delay = session_delay(session_of(desk.today()), started_at)
    while delay > timedelta() and desk.now() < started_at + delay:  # noqa: ASYNC110 - a market clock can only be asked
        await asyncio.sleep(1)


def session_delay(session: Session, at: datetime) -> timedelta:
    """Tell how much later than on a regular day a run of `at` has to act; never negative."""
    regular_opening, regular_close = (
        datetime.combine(session.trading_day, clock, KST) for clock in REGULAR_HOURS
    )
    if at < regular_opening:
        return session.opens_at - regular_opening
    if at >= regular_close:
        return max(session.closes_at - regular_close, timedelta())
    return timedelta()


async def _name_run(desk: Desk, name: str) -> None:
    run_id = runtime.flow_run.id
    if run_id is None:
        return
    at = desk.now().astimezone(KST)
    async with get_client() as client:
        await client.update_flow_run(run_id, name=f"{name} {at:%Y-%m-%d %H:%M}")
