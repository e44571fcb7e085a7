"""This is the flow ingest-bars: the daily bars of what is watched and held, checked, gaps named, and the index."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.bars import ingest_daily_bars, require_complete, symbols_to_keep
from tasks.indices import ingest_index_bars
from trading.instruments import Symbol


@flow(
    name="ingest-bars",
    retries=2,
    retry_delay_seconds=20,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def ingest_bars(symbols: list[str] | None = None) -> State[None]:
    """관심 종목과 보유 종목의 일봉을 받아 검사하고, 코스피 지수와 함께 저장합니다.

    Args:
        symbols: 비우면 관심 종목과 보유 종목 전체.
    """

    async with open_desk() as desk:

        async def story() -> Story:
            named = tuple(Symbol(code) for code in symbols or ())
            reports = await ingest_daily_bars(desk, named or symbols_to_keep(desk))
            figures = {
                "symbols": len(reports),
                "bars": sum(report.written for report in reports),
                "refused": sum(report.refused for report in reports),
                "gaps": sum(report.gaps for report in reports),
            }
            index = await ingest_index_bars(desk)
            require_complete(reports)
            sentence = desk.wording.text("story.bars", **figures)
            rows = [report.row(desk.wording) for report in reports]
            return Story(sentence, [*rows, index.row(desk.wording)])

        return await perform(desk, "ingest-bars", Guard(follows_session=True), story)
