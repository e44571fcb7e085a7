"""This is a newer version of the settings coming into force while something is being decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import PrivateAttr

from strategies.base import BarColumns, Decisions
from strategies.moving_average import MovingAverageCross
from tasks import streaming
from tasks.signals import evaluate_bars
from tasks.streaming import StreamSession
from tasks.versions import follow, open_version, propose
from tests.builders import HYUNDAI, LG_CHEM, a_signal
from tests.desks import Floor, a_channel, a_close
from trading.orders import OrderStatus, Side


@pytest.fixture
def session(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> StreamSession:
    """A session that looks for newer versions at every pulse."""
    monkeypatch.setattr(streaming, "FOLLOW_SECONDS", 0.0)
    open_version(floor.stores, floor.desk.channel, at=floor.desk.now())
    return StreamSession(floor.desk)


def change(floor: Floor) -> None:
    """Put a version in force under which nothing more could be bought."""
    tight = a_channel(risk={"maximum_order_value": 10_000})
    assert not propose(floor.stores, tight, reason="less", at=floor.desk.now()).waits


async def test_an_exit_that_waits_leaves_with_the_version_that_decided_it(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold()
    await session.pulse()
    floor.print(380_000)
    async with session.ordering:  # another exit is being placed
        leaving = asyncio.create_task(session.take(floor.tick(380_000)))
        await asyncio.sleep(0)
        with floor.stores.begin() as work:
            (*_, stop) = work.signals.of_day(floor.desk.today())
        change(floor)
        await session.pulse()
        assert session.desk.version == 2
    await leaving
    order = floor.order()
    assert (order.side, order.status) == (Side.SELL, OrderStatus.ACCEPTED)
    assert order.intent.signal_id == stop.signal_id
    assert (stop.config_version, order.intent.config_version) == (1, 1)


async def test_the_next_exit_is_decided_by_the_newer_version(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold()
    await session.pulse()
    change(floor)
    await session.pulse()
    floor.print(380_000)
    await session.take(floor.tick(380_000))
    assert (floor.order().side, floor.order().intent.config_version) == (Side.SELL, 2)


async def test_orders_of_one_run_are_judged_by_one_version(floor: Floor) -> None:
    """The second of two buys passes, though the version that came before it would refuse it."""
    desk = floor.desk
    open_version(floor.stores, desk.channel, at=desk.now())
    await floor.open()
    floor.broker.waiting.append(lambda: change(floor) if not floor.broker.sent else None)
    orders = await floor.trade(a_signal(), a_signal(symbol=HYUNDAI, reference_price=150_000))
    assert [order.status for order in orders] == [OrderStatus.ACCEPTED] * 2
    assert {order.intent.config_version for order in orders} == {1}
    assert follow(desk).version == 2
    assert desk.version == 1


class Meddler(MovingAverageCross):
    """A strategy during whose decision a newer version comes into force."""

    _meddle: Callable[[], None] = PrivateAttr()

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Let it happen, then decide as usual."""
        self._meddle()
        return super().evaluate(columns)


def test_signals_of_one_run_are_made_by_one_version(floor: Floor) -> None:
    open_version(floor.stores, floor.desk.channel, at=floor.desk.now())
    trend, swing = floor.desk.channel.strategies
    meddler = Meddler.model_validate(trend.parameters)
    meddler._meddle = lambda: change(floor)  # noqa: SLF001 - ours
    strategies = (trend.run_by(meddler), swing)
    channel = floor.desk.channel.model_copy(update={"strategies": strategies})
    floor.desk = replace(floor.desk, channel=channel)
    day = floor.desk.today()
    floor.at("08:40")
    with floor.stores.begin() as work:
        for close in (420_000, 380_000, 390_000, 400_000):  # yesterday's first
            day = floor.desk.calendar.previous_trading_day(day)
            work.bars.upsert([a_close(LG_CHEM, day, close)])
    evaluate_bars.fn(floor.desk)
    with floor.stores.begin() as work:
        made = {s.strategy_id: s.config_version for s in work.signals.of_day(floor.desk.today())}
    assert follow(floor.desk).version == 2
    assert made == {"trend": 1, "swing": 1}
