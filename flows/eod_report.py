"""This is the flow eod-report: the day to the won, for reading, for Slack and for the UI."""

from __future__ import annotations

from datetime import date

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.settings import load_settings
from flows.stories import Guard, Story, perform
from tasks.reports import make_report


@flow(
    name="eod-report",
    retries=1,
    retry_delay_seconds=15,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def eod_report(trading_day: date | None = None) -> State[None]:
    """하루의 수익률, 손익, 체결, 거부 사유를 보고서로 만듭니다.

    Args:
        trading_day: 비우면 오늘.
    """

    settings = load_settings()
    async with open_desk(settings) as desk:

        async def story() -> Story:
            made = await make_report(
                desk,
                trading_day or desk.today(),
                directory=settings.home / "reports",
                link=f"{settings.public_prefect_url}/artifacts/key/eod-report",
            )
            return Story(made.sentence, made.rows)

        return await perform(
            desk,
            "eod-report",
            Guard(needs_session=trading_day is None, follows_session=trading_day is None),
            story,
        )
