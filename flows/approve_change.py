"""This is the flow approve-change: the version that waits, its difference as a form in the UI, and its approval.

The form only asks. What decides, the delay included, is `tasks.versions.approve` over our own database: a run that
is lost, resumed twice or answered too early approves nothing that the console would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field

from adapters.clock import SystemClock
from adapters.stores import Stores
from adapters.wording import Wording
from flows.hooks import tell_failure
from flows.settings import Settings, load_settings
from flows.sources import open_stores
from risk.changes import Change
from tasks.versions import approve, waiting_change
from trading.audits import OPERATOR, AuditEntry
from trading.configs import ConfigVersion

OPEN_FOR: Final = 86_400
"""Seconds that a form stays open."""
DECLINED: Final = "config decline"
FORMS: Final = 20
"""So many answers before their time are met with another form."""


class Approval(RunInput):
    """What the owner fills in."""

    is_approved: bool = Field(title="승인 / approve")
    reason: str = Field(min_length=1, title="이유 / reason")


@flow(
    name="approve-change",
    persist_result=True,  # Prefect suspends no other
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def approve_change() -> State[None]:
    """기다리는 설정 버전이 바꾸는 것을 보여 주고, 양식에 승인하면 대기 시간이 지난 뒤 적용합니다."""
    settings, wording = load_settings(), _wording()
    with closing(open_stores(settings)) as stores:
        waiting = waiting_change(stores)
        if waiting is None:
            return Completed(name="Skipped", message=wording.text("approval.nothing"))
        config, changes = waiting
        form = form_of(config, changes, settings, wording)
        for number in range(FORMS):
            answer = await _ask(form, f"version-{config.version}-{number}")
            if not answer.is_approved:
                return _decline(stores, config, answer, wording)
            if SystemClock().now() >= _due(config, settings):
                return _approve(stores, config, answer, settings, wording)
    return Completed(
        name="Skipped", message=wording.text("approval.early", due=_due(config, settings))
    )


async def _ask(form: str, key: str) -> Approval:
    """Suspend the run until the form is filled in; a run that goes on gets the answers that were given."""
    asked = Approval.with_initial_data(description=form)
    answer: Approval = await asuspend_flow_run(wait_for_input=asked, timeout=OPEN_FOR, key=key)
    return answer


def _decline(
    stores: Stores, config: ConfigVersion, answer: Approval, wording: Wording
) -> State[None]:
    """Keep the answer in the audit; the version goes on waiting."""
    detail = {"version": config.version, "digest": config.digest, "reason": answer.reason}
    with stores.begin() as work:
        work.audit.add(AuditEntry(OPERATOR, DECLINED, detail), at=SystemClock().now())
    return Completed(message=wording.text("approval.declined", version=config.version))


def _approve(
    stores: Stores, config: ConfigVersion, answer: Approval, settings: Settings, wording: Wording
) -> State[None]:
    approve(
        stores,
        config.version,
        reason=answer.reason,
        at=SystemClock().now(),
        delay=settings.approval_delay,
        needs_code=not settings.broker.is_on_this_machine,
    )
    return Completed(message=wording.text("approval.done", version=config.version))


def form_of(
    config: ConfigVersion, changes: Iterable[Change], settings: Settings, wording: Wording
) -> str:
    """Write what a version changes as markdown, and from when on it may be approved."""
    figures = {"version": config.version, "reason": config.reason, "due": _due(config, settings)}
    lines = [wording.text("approval.form", code=config.commit[:12] or None, **figures), ""]
    for change in changes:
        loosens = wording.term("flag", str(change.loosens))
        lines.append(
            wording.text(
                "approval.line",
                path=change.path,
                before=_written(change.before),
                after=_written(change.after),
                loosens=loosens,
            )
        )
    return "\n".join(lines)


def _written(value: object) -> str:
    return "-" if value is None else str(value)


def _due(config: ConfigVersion, settings: Settings) -> datetime:
    return config.at + settings.approval_delay


def _wording() -> Wording:
    return Wording(load_settings().language)
