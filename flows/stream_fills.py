"""This is the flow stream-fills: ticks and notices as they come, from before the opening to after the close."""

from __future__ import annotations

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.streaming import StreamSession
from trading.sessions import session_of

AFTER_THE_CLOSE = timedelta(minutes=5)


@flow(
    name="stream-fills",
    retries=20,  # it begins with an inquiry, so starting again in the middle of the day loses nothing
    retry_delay_seconds=15,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def stream_fills() -> State[None]:
    """장중 체결 통보와 시세를 받아 기장하고 손절·목표가를 지킵니다."""

    async with open_desk() as desk:

        async def story() -> Story:
            session = StreamSession(desk)
            await session.run(until=session_of(desk.today()).closes_at + AFTER_THE_CLOSE)
            sentence = desk.wording.text("story.stream", **session.figures())
            return Story(sentence, session.minutes.rows(desk.wording))

        return await perform(desk, "stream-fills", Guard(), story)
