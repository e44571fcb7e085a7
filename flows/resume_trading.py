"""This is the flow resume-trading: go on after a halt, for a reason, once both books agree."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.halts import lift_halt
from tasks.reconciliation import reconcile
from trading.errors import BadInput


@flow(name="resume-trading", on_failure=[tell_failure], on_crashed=[tell_failure])
async def resume_trading(reason: str, strategy_id: str = "") -> State[None]:
    """대사를 마친 뒤 매매를 재개합니다.

    Args:
        reason: 재개하는 이유. 반드시 적어야 하며 감사 기록에 남습니다.
        strategy_id: 한 전략만 재개하려면 그 이름, 비우면 전체 정지를 풉니다.
    """

    if not reason.strip():
        raise BadInput("reason", reason, "a few words why trading goes on")
    async with open_desk() as desk:

        async def story() -> Story:
            done = await reconcile(desk)
            was_halted = lift_halt(desk, source="operator", strategy_id=strategy_id, reason=reason)
            key = "story.resumed" if was_halted else "story.not_halted"
            return Story(desk.wording.text(key, differences=len(done.differences)))

        return await perform(desk, "resume-trading", Guard(needs_session=False), story)
