"""This is the flow generate-signals: entries and exits from closed bars, stops and targets from prices."""

from __future__ import annotations

from dataclasses import replace

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.registrations import plugged
from tasks.signals import evaluate_bars, evaluate_exits


@flow(
    name="generate-signals",
    retries=1,
    retry_delay_seconds=10,
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
)
async def generate_signals(strategy_id: str = "") -> State[None]:
    """전략을 평가해 매매 신호를 만듭니다. 주문은 내지 않습니다.

    Args:
        strategy_id: 한 전략만 평가하려면 그 이름, 비우면 모든 전략. 이 값을 정한 배포를 일시 중지하면 그 전략만 멈춥니다.
    """

    async with open_desk() as opened:
        desk = replace(opened, channel=opened.channel.only(strategy_id))

        async def story() -> Story:
            with plugged(desk) as plugged_desk:
                evaluations = evaluate_bars(plugged_desk)
            exits = await evaluate_exits(desk)
            signals = [signal for e in evaluations for signal in e.signals] + list(exits)
            blind = [e for e in evaluations if e.notice]
            figures = {"signals": len(signals), "looked": len(evaluations), "blind": len(blind)}
            rows = [desk.wording.signal_row(signal) for signal in signals]
            rows += [
                {"strategy": e.strategy_id, "symbol": e.symbol, "notice": e.notice} for e in blind
            ]
            return Story(desk.wording.text("story.signals", **figures), rows)

        guard = Guard(
            is_time_critical=True,
            needs_trading=True,
            follows_session=True,
            strategy_id=strategy_id,
        )
        return await perform(desk, "generate-signals", guard, story)
