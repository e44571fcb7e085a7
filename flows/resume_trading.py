"""This is the flow resume-trading: go on after a halt, for a reason, once both books agree."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from adapters.halt_messages import halt_line
from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.resumptions import resume
from trading.errors import BadInput


@flow(name="resume-trading", on_failure=[tell_failure], on_crashed=[tell_failure])
async def resume_trading(
    reason: str, strategy_id: str = "", symbol: str = "", *, accept_differences: bool = False
) -> State[None]:
    """대사를 마친 뒤 매매를 재개합니다. 자동 정지도 함께 풉니다.

    Args:
        reason: 재개하는 이유. 반드시 적어야 하며 감사 기록에 남습니다.
        strategy_id: 한 전략만 재개하려면 그 이름, 비우면 전체 정지를 풉니다.
        symbol: 한 종목만 재개하려면 그 코드.
        accept_differences: 예수금이 증권사와 달라도(배당 입금 등) 재개합니다.
    """

    if not reason.strip():
        raise BadInput("reason", reason, "a few words why trading goes on")
    async with open_desk() as desk:

        async def story() -> Story:
            done = await resume(
                desk,
                reason=reason,
                strategy_id=strategy_id,
                symbol=symbol,
                accepts_differences=accept_differences,
            )
            key = "story.resumed" if done.lifted else "story.not_halted"
            sentence = desk.wording.text(key, differences=done.differences)
            lines = [halt_line(halt, desk.wording) for halt in done.left]
            return Story("\n".join([sentence, *lines]))

        return await perform(desk, "resume-trading", Guard(needs_session=False), story)
