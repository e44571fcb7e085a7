"""This is the flow reconcile-fills: our book brought to the broker's, and every difference named."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.evidence import record_evidence
from tasks.readiness import settle_doubts
from tasks.reconciliation import reconcile
from trading.evidence import EvidenceKind
from trading.plans import Step
from trading.reconciliation import Difference

DOUBT_SECONDS = 60.0
"""So long a run goes on looking for an order in doubt before it leaves it to the next."""


@flow(
    name="reconcile-fills",
    retries=2,
    retry_delay_seconds=5,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def reconcile_fills() -> State[None]:
    """증권사 장부와 대사해 빠진 체결을 기장하고 차이를 보고합니다."""

    async with open_desk() as desk:

        async def story() -> Story:
            done = await reconcile(desk)
            done = await settle_doubts(desk, within=DOUBT_SECONDS) or done
            figures = {
                "orders": done.orders,
                "booked": len(done.booked),
                "differences": len(done.differences),
            }
            record_evidence(
                desk, EvidenceKind.RECONCILIATION, is_passed=done.is_clean, figures=figures
            )
            sentence = desk.wording.text("story.reconciliation", **figures)
            return Story(sentence, [*map(_step_row, done.steps), *map(_row, done.differences)])

        return await perform(desk, "reconcile-fills", Guard(follows_session=True), story)


def _step_row(step: Step) -> dict[str, str]:
    return {"kind": step.act.value, "subject": step.subject, "ours": step.detail, "broker": ""}


def _row(difference: Difference) -> dict[str, str]:
    return {
        "kind": difference.kind.value,
        "subject": difference.subject,
        "ours": difference.ours,
        "broker": difference.theirs,
    }
