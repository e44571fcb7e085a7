"""This is a stop that follows the highest price since the entry: live, after a restart, and by the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks import streaming
from tasks.signals import evaluate_exits, guarded_positions
from tasks.streaming import StreamSession
from tests.builders import A_DAY, LG_CHEM, a_signal, seoul
from tests.desks import PRICES, Floor, a_floor, an_exit
from tests.minute_days import day_of
from trading.bars import Bar, Interval
from trading.orders import Side

TRAILING = {"stop_loss": "0.05", "take_profit": None, "trailing_stop": "0.04"}


@pytest.fixture
def floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """A desk whose one strategy has a trailing stop of 4 %."""
    monkeypatch.setattr(streaming, "REFRESH_SECONDS", 0.0)
    rule: dict[str, Any] = {"kind": "moving_average_cross", "symbols": list(PRICES)}
    return a_floor(tmp_path, strategies=[{"id": "trend", **rule, "exits": TRAILING}])


async def hear(session: StreamSession, floor: Floor, price: int) -> None:
    """Let the market trade, and the session hear of it."""
    floor.print(price)
    await session.take(floor.tick(price))


async def test_the_stop_rises_with_the_price_and_stays(floor: Floor) -> None:
    await floor.hold()  # at 401,000: the plain stop is 380,950, the trailing one 384,960
    session = StreamSession(floor.desk)
    await session.pulse()
    for price in (410_000, 430_000, 420_000, 413_000):
        await hear(session, floor, price)
        await session.pulse()  # which reads again what is held
    assert len(floor.orders) == 1
    await hear(session, floor, 412_500)  # 430,000 * 0.96 = 412,800
    order = floor.order()
    assert (order.side, order.intent.limit_price) == (Side.SELL, None)
    with floor.stores.begin() as work:
        signal = work.signals.of_day(A_DAY)[-1]
    assert (signal.trigger, signal.indicators["highest"]) == ("stop", "430000")
    assert "after a high of 430,000 KRW" in floor.desk.wording.reason(signal)


async def test_from_the_entry_on_it_is_there(floor: Floor) -> None:
    await floor.hold()
    session = StreamSession(floor.desk)
    await session.pulse()
    await hear(session, floor, 385_000)
    assert len(floor.orders) == 1
    await hear(session, floor, 384_500)  # 401,000 * 0.96 = 384,960
    assert floor.order().side is Side.SELL


async def test_a_process_that_begins_later_knows_the_high_from_the_bars(floor: Floor) -> None:
    """Of the first day the minutes after the entry, of later days the whole day, of today the minutes."""
    await floor.hold()
    before, after = day_of(A_DAY, [450_000], symbol=LG_CHEM, first=0), a_minute("10:01", 425_000)
    store(floor, *before, after)
    assert peak(floor) == 425_000
    tomorrow = floor.night()
    store(floor, replace(after, trading_day=tomorrow, at=seoul(tomorrow, "09:01"), high=428_000))
    floor.at("09:02")
    assert peak(floor) == 428_000
    floor.night()
    store(floor, a_day(tomorrow, high=440_000))
    assert peak(floor) == 440_000


async def test_a_new_holding_begins_with_its_own_price(floor: Floor) -> None:
    entry = await floor.hold()
    session = StreamSession(floor.desk)
    await session.pulse()
    await hear(session, floor, 430_000)
    await floor.trade(an_exit(entry, "cross"))
    floor.hear(*floor.print(430_000))
    assert floor.ledger.held_symbols == ()
    await floor.trade(replace(a_signal(), parameter_hash="another"))
    floor.at("10:05")
    floor.hear(*floor.print(402_000))
    await session.pulse()
    (guarded,) = session.guarded[LG_CHEM]
    assert guarded.peak == 402_000


async def test_a_late_print_raises_no_stop(floor: Floor) -> None:
    await floor.hold()
    session = StreamSession(floor.desk)
    await session.pulse()
    first = floor.tick(401_000, 100)
    await session.take(first)
    floor.at("10:00:02")
    await session.take(replace(floor.tick(401_500, 100), cumulative_volume=300))
    await session.take(replace(first, price=460_000, cumulative_volume=200))
    (guarded,) = session.guarded[LG_CHEM]
    assert guarded.peak == 401_500


async def test_the_scheduled_look_keeps_it_too(floor: Floor) -> None:
    await floor.hold()
    store(floor, a_minute("10:01", 430_000))
    floor.at("14:50")
    floor.print(412_500)
    (signal,) = await evaluate_exits.fn(floor.desk)
    assert signal.trigger == "stop"


async def test_without_the_option_nothing_follows_the_price(tmp_path: Path) -> None:
    floor = a_floor(tmp_path)
    await floor.hold()
    session = StreamSession(floor.desk)
    await session.pulse()
    for price in (430_000, 390_000):
        await hear(session, floor, price)
    assert len(floor.orders) == 1


def peak(floor: Floor) -> int:
    """Read how high the one holding has been."""
    (guarded,) = guarded_positions(floor.desk)
    return guarded.peak


def store(floor: Floor, *bars: Bar) -> None:
    """Store bars as the stream or ingestion does."""
    with floor.stores.begin() as work:
        work.bars.upsert(bars)


def a_minute(end: str, high: int) -> Bar:
    """Give a minute of LG Chem that peaked so."""
    at = seoul(A_DAY, end)
    return Bar(LG_CHEM, Interval.MINUTE, A_DAY, at, 401_000, high, 401_000, 401_000, 10)


def a_day(day: date, high: int) -> Bar:
    """Give a day of LG Chem that peaked so."""
    at = seoul(day, "00:00")
    return Bar(LG_CHEM, Interval.DAY, day, at, 401_000, high, 401_000, 401_000, 100_000)
