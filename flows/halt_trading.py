"""This is the flow halt-trading: the kill switch as a button in the UI."""

from __future__ import annotations

from typing import Literal

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.halts import cancel_open, put_halt
from trading.halts import Halt, TradingState


@flow(name="halt-trading", on_failure=[tell_failure], on_crashed=[tell_failure])
async def halt_trading(
    reason: str = "operator",
    level: Literal["HALTED", "REDUCING"] = "HALTED",
    strategy_id: str = "",
    *,
    cancel_open_orders: bool = False,
) -> State[None]:
    """매매를 즉시 멈춥니다.

    Args:
        reason: 멈추는 이유. 감사 기록에 남습니다.
        level: HALTED 모든 신규 주문 중지, REDUCING 매수만 중지.
        strategy_id: 한 전략만 멈추려면 그 이름, 비우면 전체.
        cancel_open_orders: 미체결 주문도 모두 취소합니다.
    """

    async with open_desk() as desk:

        async def story() -> Story:
            put_halt(desk, Halt("operator", TradingState(level), reason, desk.now(), strategy_id))
            canceled = await cancel_open(desk) if cancel_open_orders else ()
            sentence = desk.wording.text("story.halted", state=level, canceled=len(canceled))
            return Story(sentence, [{"canceled": number} for number in canceled])

        return await perform(desk, "halt-trading", Guard(needs_session=False), story)
