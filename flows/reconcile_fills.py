"""This is the flow reconcile-fills: our book brought to the broker's, and every difference named."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.reconciliation import reconcile


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
            figures = {
                "orders": done.orders,
                "booked": len(done.booked),
                "differences": len(done.differences),
            }
            rows = [
                {"kind": d.kind.value, "subject": d.subject, "ours": d.ours, "broker": d.theirs}
                for d in done.differences
            ]
            return Story(desk.wording.text("story.reconciliation", **figures), rows)

        return await perform(desk, "reconcile-fills", Guard(follows_session=True), story)
