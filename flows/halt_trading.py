"""This is the flow halt-trading: the kill switch as a button in the UI. It needs no database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import httpx
from prefect import flow
from prefect.client.schemas.objects import State

from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from adapters.wording import Wording
from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.settings import HALT_FILE, find_home, load_settings
from flows.stories import Story, publish
from tasks.desk import Desk
from tasks.halts import cancel_open, put_halt
from trading.audits import OPERATOR
from trading.errors import InvalidSetting
from trading.halts import Halt, TradingState


@flow(name="halt-trading", on_failure=[tell_failure], on_crashed=[tell_failure])
async def halt_trading(
    reason: str = "operator",
    level: Literal["HALTED", "REDUCING"] = "HALTED",
    strategy_id: str = "",
    symbol: str = "",
    *,
    cancel_open_orders: bool = False,
) -> State[None]:
    """매매를 즉시 멈춥니다. 데이터베이스가 꺼져 있어도 됩니다.

    Args:
        reason: 멈추는 이유. 감사 기록에 남습니다.
        level: HALTED 모든 신규 주문 중지, REDUCING 매수만 중지.
        strategy_id: 한 전략만 멈추려면 그 이름, 비우면 전체.
        symbol: 한 종목만 멈추려면 그 코드, 비우면 모든 종목.
        cancel_open_orders: 미체결 주문도 모두 취소합니다.
    """

    at = SystemClock().now()
    act = Halt(OPERATOR, TradingState(level), reason, at, strategy_id, symbol)
    on_disk = _write(act)  # before anything that may be slow, broken or down
    try:
        async with open_desk(needs_database=False) as desk:
            recorded, canceled = await asyncio.gather(
                asyncio.to_thread(_record, desk, act),
                cancel_open.fn(desk) if cancel_open_orders else _nothing(),
                return_exceptions=True,
            )
    except Exception as error:  # noqa: BLE001 - the halt is on disk; what could not follow is told
        recorded, canceled = error, ()
    return await _tell(act, on_disk, recorded, canceled)


def _write(act: Halt) -> OSError | None:
    """Put the halt on disk; give what kept it from there."""
    try:
        HaltFile(find_home() / HALT_FILE).put(act)
    except OSError as error:
        return error
    return None


def _record(desk: Desk, act: Halt) -> None:
    """Write the row, the audit and the message, at the market's time if its clock can be read."""
    with suppress(httpx.HTTPError):
        act = replace(act, at=desk.now())
    put_halt.fn(desk, act)


async def _nothing() -> tuple[str, ...]:
    return ()


async def _tell(act: Halt, *outcomes: object) -> State[None]:
    """Say what was done and what was not; only a halt that stands nowhere is a failed run.

    Raises:
        Exception: the disk's, when neither disk nor database have taken the halt.
    """
    on_disk, recorded, canceled = outcomes
    if isinstance(on_disk, Exception) and isinstance(recorded, BaseException):
        raise on_disk
    numbers = canceled if isinstance(canceled, tuple) else ()
    wording = _wording()
    sentence = wording.text("story.halted", state=act.state, canceled=len(numbers))
    problems = [str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    if problems:
        sentence = wording.text("story.halted_partly", done=sentence, words="; ".join(problems))
    story = Story(sentence, [{"canceled": number} for number in numbers])
    return await publish("halt-trading", story, state="Partly" if problems else None)


def _wording() -> Wording:
    try:
        return Wording(load_settings().language)
    except InvalidSetting:
        return Wording()
