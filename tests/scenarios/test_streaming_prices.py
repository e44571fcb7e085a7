"""This is what the stream makes of prices: who is heard, who is asked for, and the day's minute bars."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.market_data import Connected, Unreadable
from adapters.notifier import Severity
from tasks.streaming import MOST_TOLD, StreamSession
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, SAMSUNG, a_signal, seoul
from tests.desks import Floor, a_floor
from trading.bars import Bar, Interval
from trading.errors import Unavailable
from trading.orders import Side


async def test_what_is_held_comes_before_orders_and_the_watch_list(
    floor: Floor, session: StreamSession
) -> None:
    await floor.hold(a_signal(symbol=HYUNDAI))
    await floor.trade(a_signal(symbol=SAMSUNG))
    await session.pulse()
    assert floor.stream.watched == (HYUNDAI, SAMSUNG, LG_CHEM)


@pytest.mark.parametrize("cap", [0, 1], ids=["the stream is down", "the stream is full"])
async def test_what_the_stream_does_not_tell_is_asked_for_and_the_stop_kept(
    floor: Floor, session: StreamSession, cap: int
) -> None:
    await floor.hold()
    await session.pulse()
    assert session.watched[0] == LG_CHEM
    floor.print(380_000)
    floor.stream.cap = cap
    floor.stream.watch([HYUNDAI])
    for _ in range(2):
        await session.run_errand()
    assert floor.order().side is Side.SELL
    assert (session.exits, session.polls) == (1, 2)


async def test_the_owner_is_told_in_one_sentence_what_is_only_asked_for(
    floor: Floor, session: StreamSession
) -> None:
    await floor.open()
    session.desk = replace(session.desk, poll_seconds=2.5)
    floor.stream.cap = 1
    await session.pulse()
    for _ in range(2):
        await session.take(Connected(floor.clock.now()))
    (told,) = [m for m in floor.notifier.of(Severity.INFO) if "watch list" in m.title]
    assert "Of 3 symbols 2 have no place there: each is asked for every 5 s" in told.text


async def test_nothing_is_asked_for_before_prices_are_made(
    floor: Floor, session: StreamSession
) -> None:
    """Before the opening the last price is yesterday's: no stop may follow from it."""
    await floor.open()
    floor.stream.cap = 1
    await session.pulse()
    await session.run_errand()
    assert session.polls == 0


async def test_what_cannot_be_read_is_told_once(floor: Floor, session: StreamSession) -> None:
    for _ in range(3):
        await session.take(Unreadable("0|H0STCNT0|001|a", "1 field, at least 44 are needed"))
    assert session.unreadable == 3
    assert len(floor.notifier.of(Severity.WARNING)) == 1


async def test_a_change_of_every_message_floods_nobody(
    floor: Floor, session: StreamSession
) -> None:
    """A field that moves makes a reason of every price; another problem is told for all that."""
    for price in range(1_000):
        reason = f"H0STCNT0: '{price}.5' is no whole number"
        await session.take(Unreadable("0|H0STCNT0|001|a", reason))
    assert len(floor.notifier.of(Severity.WARNING)) == MOST_TOLD
    with session._stumbling():  # noqa: SLF001 - whatever stumbles
        raise Unavailable("no answer")
    assert len(floor.notifier.of(Severity.WARNING)) == MOST_TOLD + 1


async def test_bars_are_stored_when_their_minute_is_over(
    floor: Floor, session: StreamSession
) -> None:
    await floor.open()
    floor.at("09:00:10")
    await session.take(floor.tick(401_000, auction=True))
    floor.at("09:01:01")
    await session.pulse()
    assert stored_minutes(floor) == ()
    floor.at("09:01:02")
    await session.pulse()
    (bar,) = stored_minutes(floor)
    assert (bar.close, bar.volume, bar.source, bar.is_provisional) == (
        401_000,
        10_000,
        "stream",
        False,
    )
    assert told_minutes(floor) == [], "without Kafka the outbox would only grow"


async def test_a_hole_is_mended_from_the_history_and_the_day_completed_at_the_end(
    floor: Floor, session: StreamSession
) -> None:
    await floor.open()
    floor.at("09:02:10")
    late = replace(floor.tick(401_000, 100), cumulative_volume=5_000)  # 4,900 shares before us
    await session.take(late)
    history = [
        a_minute("09:01", 400_000, 4_900),
        a_minute("09:02", 400_500, 0),
        a_minute("09:03", 401_000, 120),
    ]
    floor.market.load(history)
    floor.at("09:03:40")
    await session.run_errand()
    assert session.minutes.mended == 0, "the minute may not be in the history yet"
    floor.at("09:03:50")
    for _ in range(3):
        await session.run_errand()
    assert session.minutes.mended == 1
    await session.pulse()
    assert [bar.source for bar in stored_minutes(floor)] == ["kis"] * 3
    floor.at("15:32")
    for _ in range(3):
        await session.run_errand()
    assert session.minutes.mended == 2


async def test_a_minute_is_told_once_and_again_when_the_history_says_otherwise(
    floor: Floor, session: StreamSession
) -> None:
    await floor.open()
    session.desk = replace(session.desk, is_relayed=True)
    floor.at("09:00:10")
    await session.take(floor.tick(401_000, auction=True))
    floor.at("09:01:02")
    await session.pulse()
    assert told_minutes(floor) == [401_000]
    floor.market.load([a_minute("09:01", 402_000, 10_000)])
    floor.at("15:32")
    for _ in range(3):
        await session.run_errand()
    assert told_minutes(floor) == [401_000, 402_000]


def told_minutes(floor: Floor) -> list[int]:
    """Give the closing prices of the minute bars that were told."""
    with floor.stores.begin() as work:
        bars = [event.payload for event in work.outbox.after(0) if event.topic == "market.bar"]
    return [bar["close"] for bar in bars if bar["interval"] == "1m"]


async def test_a_late_print_keeps_no_stop(floor: Floor, session: StreamSession) -> None:
    """What the price was a minute ago is no reason to sell now."""
    await floor.hold()
    await session.pulse()
    first = floor.tick(401_000, 100)
    await session.take(first)
    floor.at("10:00:02")
    await session.take(replace(floor.tick(401_500, 100), cumulative_volume=300))
    late = replace(first, price=370_000, cumulative_volume=200)
    await session.take(late)
    assert len(floor.broker.sent) == 1
    assert session.prices[LG_CHEM] == 401_500


async def test_one_print_with_a_wrong_volume_takes_no_stop_away(
    floor: Floor, session: StreamSession
) -> None:
    """By their volume all the prints of the day come late after it; by their time they are the market's."""
    await floor.hold()
    await session.pulse()
    await session.take(replace(floor.tick(401_000, 100), cumulative_volume=10**12))
    floor.at("10:00:02")
    floor.print(380_000)
    await session.take(replace(floor.tick(380_000, 100), cumulative_volume=300))
    assert floor.order().side is Side.SELL


async def test_the_expected_price_of_an_auction_keeps_no_stop(
    floor: Floor, session: StreamSession
) -> None:
    """While an auction collects (opening, VI) nothing trades at that price; what it makes in the end counts."""
    await floor.hold()
    await session.pulse()
    await session.take(floor.tick(401_000, 100))
    expected = replace(floor.tick(370_000, 50, auction=True), cumulative_volume=100)
    await session.take(expected)
    assert len(floor.broker.sent) == 1
    floor.at("10:02:20")
    floor.print(380_500)
    await session.take(replace(floor.tick(380_500, 50, auction=True), cumulative_volume=150))
    assert floor.order().side is Side.SELL


@pytest.mark.parametrize(
    ("price", "limit"),
    [
        (380_750, None),
        (441_250, 437_000),
    ],  # 441,250 * 0.99 = 436,837.5: a sell is rounded up to 500 won
    ids=["stop", "target"],
)
async def test_a_price_at_half_a_tick_is_data_and_no_price_of_ours(
    tmp_path: Path, price: int, limit: int | None
) -> None:
    """Since March 2025 mid-point trades lie between two ticks; our limits stay on the grid."""
    floor = a_floor(tmp_path, sizing={"exit_type": "LIMIT"})
    session = StreamSession(floor.desk)
    await floor.hold()
    await session.pulse()
    floor.print(price)
    await session.take(floor.tick(price))
    order = floor.order()
    assert (order.side, order.intent.limit_price) == (Side.SELL, limit)


def stored_minutes(floor: Floor) -> tuple[Bar, ...]:
    """Give the day's minute bars of LG Chem."""
    day = floor.desk.today()
    with floor.stores.begin() as work:
        return work.bars.between(LG_CHEM, Interval.MINUTE, first=day, last=day)


def a_minute(time: str, price: int, volume: int) -> Bar:
    """Give a minute of the broker's history in which one price was made."""
    at = seoul(A_DAY, time)
    prices = (price, price, price, price)
    return Bar(LG_CHEM, Interval.MINUTE, A_DAY, at, *prices, volume, is_adjusted=False)
