"""This is the flow refresh-token: one valid token before the day begins, and the broker's calendar."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.tokens import refresh_calendar, refresh_token_of


@flow(
    name="refresh-token",
    retries=3,
    retry_delay_seconds=61,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def refresh_token() -> State[None]:
    """접근 토큰을 갱신하고 휴장일을 확인합니다."""

    async with open_desk() as desk:

        async def story() -> Story:
            expires_at = await refresh_token_of(desk)
            days = await refresh_calendar(desk)
            return Story(desk.wording.text("story.token", expires_at=expires_at, days=days))

        return await perform(desk, "refresh-token", Guard(needs_session=False), story)
