"""This is the flow stream-fills: ticks and notices as they come, from before the opening to after the close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled

from adapters.heartbeats import Heart
from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.settings import load_settings
from flows.stories import OVERTAKEN, Guard, Story, perform
from tasks.garbage import spare_long_collections
from tasks.streaming import StreamSession
from trading.sessions import session_of

AFTER_THE_CLOSE: Final = timedelta(minutes=5)
LOOK_SECONDS: Final = 2.0
"""Between two looks whether the run was cancelled."""
LOOK_PATIENCE_SECONDS: Final = 5.0
"""A server that takes a look's connection and dies says nothing any more."""
BEAT_SECONDS: Final = 1.0
"""Between two signs of life."""


@flow(
    name="stream-fills",
    retries=20,  # it begins with an inquiry, so starting again in the middle of the day loses nothing
    retry_delay_seconds=15,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def stream_fills() -> State[None]:
    """장중 체결 통보와 시세를 받아 기장하고 손절·목표가를 지킵니다."""

    settings = load_settings()
    async with open_desk(settings) as desk:
        session = StreamSession(desk)

        async def story() -> Story:
            spare_long_collections()
            living = giving_signs_of_life(settings.beat_file)
            async with ending_when_cancelled(session), living:
                await session.run(until=session_of(desk.today()).closes_at + AFTER_THE_CLOSE)
            sentence = desk.wording.text("story.stream", **session.figures())
            return Story(sentence, session.minutes.rows(desk.wording))

        state = await perform(desk, "stream-fills", Guard(), story, on_overtaken=session.end)
        is_canceled = session.is_canceled and state.name != OVERTAKEN
        return Cancelled(message=state.message) if is_canceled else state


@asynccontextmanager
async def ending_when_cancelled(session: StreamSession) -> AsyncIterator[None]:
    """End the session in order when its run is cancelled in Prefect.

    The worker would tell the process too, but not after its server was away for half a minute.
    """
    looking = asyncio.create_task(_end_when_cancelled(session))
    try:
        yield
    finally:
        looking.cancel()


@asynccontextmanager
async def giving_signs_of_life(path: Path) -> AsyncIterator[None]:
    """Show at `path` that the event loop turns, during the block; the stack ends who hangs and starts another."""
    heart = Heart(path)
    beating = asyncio.create_task(_beat(heart))
    try:
        yield
    finally:
        beating.cancel()
        heart.stop()


async def _beat(heart: Heart) -> None:
    while True:
        heart.beat()
        await asyncio.sleep(BEAT_SECONDS)


async def _end_when_cancelled(session: StreamSession) -> None:
    run_id = runtime.flow_run.id
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        async with get_client() as client:
            while run_id is not None and not session.is_canceled:
                await asyncio.sleep(LOOK_SECONDS)
                with suppress(Exception):  # a server that is away: the session goes on, so do we
                    async with asyncio.timeout(LOOK_PATIENCE_SECONDS):
                        run = await client.read_flow_run(run_id)
                    if run.state is not None and run.state.is_cancelling():
                        session.end()
