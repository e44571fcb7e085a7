"""This is the stream over the simulator: the whole way of an order's notices, and the faults of the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kis.links import Patience
from adapters.kis.stream import KisStream
from adapters.kis_sim.options import Profile
from adapters.kis_sim.orders import Environment
from adapters.market_data import Connected, Notice, StreamEvent
from tests.broker_worlds import KisWorld, a_kis_world, an_intent_to_buy
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, NAVER, SAMSUNG, looks_good, seoul
from trading.errors import OutcomeUnknown
from trading.minute_bars import MinuteBars
from trading.notices import NoticeKind
from trading.orders import OrderType, Side
from trading.sessions import session_of
from trading.ticks import TradePrint

QUICK = Patience(first=0.05, longest=0.2, occupied=0.3, breaker=0.5, answers=2)

type Events = AsyncGenerator[StreamEvent]


def a_stream(world: KisWorld) -> KisStream:
    return KisStream(world.settings, auth=world.kis.auth, clock=world.clock, patience=QUICK)


@asynccontextmanager
async def listening(world: KisWorld) -> AsyncIterator[Events]:
    """Listen, and give the events from the moment on at which everything is subscribed."""
    async with aclosing(a_stream(world).events([LG_CHEM])) as events, asyncio.timeout(20):
        assert isinstance(await anext(events), Connected)
        yield events


async def next_of[E: (Connected, Notice, TradePrint)](events: Events, kind: type[E]) -> E:
    """Pass over the other kinds."""
    while True:
        event = await anext(events)
        if isinstance(event, kind):
            return event


async def next_notice(events: Events) -> Notice:
    return await next_of(events, Notice)


@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("profile", list(Profile))
async def test_an_orders_whole_life_comes_in_notices(
    tmp_path: Path, environment: Environment, profile: Profile
) -> None:
    async with a_kis_world(tmp_path, environment, profile=profile) as world:
        await world.move_to("09:05")
        async with listening(world) as events:
            price = (await world.broker.get_price(LG_CHEM)).last // 1_000 * 1_000 + 5_000
            receipt = await world.place(fills=3, quantity=10, limit_price=price)
            accepted, filled = await next_notice(events), await next_notice(events)
            await world.broker.cancel(
                broker_order_id=receipt.broker_order_id,
                branch=receipt.branch,
                order_type=OrderType.LIMIT,
            )
            canceled = await next_notice(events)
    assert (accepted.kind, accepted.quantity, accepted.price) == (NoticeKind.ACCEPTED, 10, price)
    assert (filled.kind, filled.quantity) == (NoticeKind.FILLED, 3)
    assert accepted.broker_order_id == filled.broker_order_id == receipt.broker_order_id
    assert (filled.side, filled.symbol, filled.order_type) == (Side.BUY, LG_CHEM, OrderType.LIMIT)
    assert (filled.order_quantity, filled.time_text) == (10, "090500")
    assert filled.received_at == seoul(A_DAY, "09:05")
    assert (canceled.kind, canceled.quantity) == (NoticeKind.CANCELED, 7)
    assert canceled.original_id == receipt.broker_order_id
    order = replace(filled, kind=NoticeKind.ACCEPTED, quantity=10, price=price)
    assert accepted == order


@pytest.mark.parametrize("profile", list(Profile))
async def test_prints_come_as_they_were_made(tmp_path: Path, profile: Profile) -> None:
    async with a_kis_world(tmp_path, profile=profile) as world, listening(world) as events:
        await world.move_to("09:02")
        prints = [await next_of(events, TradePrint)]
        while prints[-1].at < seoul(A_DAY, "09:01"):
            prints.append(await next_of(events, TradePrint))
        quote = await world.broker.get_price(LG_CHEM)
    assert (prints[0].is_auction, prints[0].price) == (True, quote.open)
    assert prints[0].at == seoul(A_DAY, "09:00")
    assert not any(each.is_auction for each in prints[1:])
    total = 0
    for each in prints:
        total += each.quantity
        assert each.cumulative_volume == total
    assert sum(each.quantity for each in prints) <= quote.volume


async def test_a_notice_may_come_although_the_reply_was_lost(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        async with listening(world) as events:
            world.set_faults(reply_lost=True)
            with pytest.raises(OutcomeUnknown):
                await world.broker.place(an_intent_to_buy(), last_look=looks_good)
            notice = await next_notice(events)
        assert notice.kind is NoticeKind.ACCEPTED
        assert notice.broker_order_id == world.true_orders()[0]["number"]


async def test_a_duplicated_notice_comes_twice(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        async with listening(world) as events:
            world.set_faults(duplicate_notice=True)
            await world.broker.place(an_intent_to_buy(), last_look=looks_good)
            assert await next_notice(events) == await next_notice(events)


async def test_a_dropped_socket_is_opened_again(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        async with listening(world) as events:
            world.set_faults(socket_drop={"count": 1})
            world.simulator._faults_changed()  # noqa: SLF001 - what the control endpoint does
            await next_of(events, Connected)
            await world.broker.place(an_intent_to_buy(), last_look=looks_good)
            assert (await next_notice(events)).kind is NoticeKind.ACCEPTED


async def test_a_socket_that_fell_silent_is_given_up(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path, silence_seconds=0.5) as world:
        await world.move_to("09:05")
        async with listening(world) as events:
            world.set_faults(silent_socket=True)
            await asyncio.sleep(0.7)
            world.set_faults(silent_socket=None)
            await next_of(events, Connected)


async def test_a_second_stream_waits_for_the_first_to_end(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        async with listening(world), aclosing(a_stream(world).events([LG_CHEM])) as second:
            waiting = asyncio.ensure_future(anext(second))
            await asyncio.sleep(1)
            assert not waiting.done()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def test_what_matters_more_takes_the_place_of_what_matters_less(tmp_path: Path) -> None:
    """The cap is learned from the refusal: one notice and two symbols; all on one connection."""
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(max_subscriptions={"limit": 3})
        stream = a_stream(world)
        wanted = [LG_CHEM, SAMSUNG, HYUNDAI, NAVER]
        async with aclosing(stream.events(wanted)) as events, asyncio.timeout(20):
            assert isinstance(await anext(events), Connected)
            assert stream.heard == {LG_CHEM, SAMSUNG}
            stream.watch([NAVER, LG_CHEM, SAMSUNG, HYUNDAI])  # it was bought
            while stream.heard != {NAVER, LG_CHEM}:  # noqa: ASYNC110 - answered by the simulator
                await asyncio.sleep(0.01)
            await world.move_to("09:06")
            heard = {(await next_of(events, TradePrint)).symbol for _ in range(20)}
            assert NAVER in heard <= {NAVER, LG_CHEM, SAMSUNG}


async def test_beyond_the_brokers_limit_prices_go_and_notices_stay(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(max_subscriptions={"limit": 1})
        async with listening(world) as events:
            await world.broker.place(an_intent_to_buy(), last_look=looks_good)
            assert (await next_notice(events)).kind is NoticeKind.ACCEPTED


@pytest.mark.parametrize("profile", list(Profile))
async def test_bars_made_of_prints_are_those_of_the_brokers_history(
    tmp_path: Path, profile: Profile
) -> None:
    bars = MinuteBars(session_of(A_DAY))
    async with a_kis_world(tmp_path, profile=profile) as world, listening(world) as events:
        await world.move_to("09:10")
        await count_until(bars, events, "09:09:55")
        history = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    assert bars.compare(LG_CHEM, history) == ()
    built = bars.closed(seoul(A_DAY, "09:10"))
    assert [(bar.at, bar.is_provisional) for bar in built] == [(bar.at, False) for bar in history]


async def test_who_listens_from_the_afternoon_on_has_the_whole_day_with_the_history(
    tmp_path: Path,
) -> None:
    bars = MinuteBars(session_of(A_DAY))
    async with a_kis_world(tmp_path) as world:
        await world.move_to("15:18:30")
        async with listening(world) as events:
            await world.move_to("15:31")
            await count_until(bars, events, "15:30")
        history = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    assert bars.closed(seoul(A_DAY, "15:19"))[0].is_provisional
    heard_wholly = bars.compare(LG_CHEM, history[-2:])
    assert {difference.at for difference in heard_wholly} == {seoul(A_DAY, "15:19")}
    assert bars.mend(LG_CHEM, history, at=seoul(A_DAY, "15:32")) == ()
    assert (bars.holes(), bars.compare(LG_CHEM, history)) == ({}, ())


async def test_an_interruption_is_a_gap_that_the_history_fills(tmp_path: Path) -> None:
    """VI: nothing is heard for two minutes; what was made meanwhile is in the day's volume of the next print."""
    bars = MinuteBars(session_of(A_DAY))
    async with a_kis_world(tmp_path) as world, listening(world) as events:
        await world.move_to("09:05")
        world.set_faults(volatility_interruption={"symbols": [LG_CHEM], "seconds": 120})
        await world.move_to("09:12")
        await count_until(bars, events, "09:11:55")
        history = await world.market_data.minute_bars(LG_CHEM, trading_day=A_DAY)
    heard = {bar.at: bar.is_provisional for bar in bars.closed(seoul(A_DAY, "09:12"))}
    assert heard[seoul(A_DAY, "09:04")] is False
    assert heard[seoul(A_DAY, "09:08")] is True
    assert seoul(A_DAY, "09:06") not in heard
    assert bars.mend(LG_CHEM, history, at=seoul(A_DAY, "09:13")) == ()
    assert (bars.holes(), bars.compare(LG_CHEM, history)) == ({}, ())


async def count_until(bars: MinuteBars, events: Events, time: str) -> None:
    """Count prints up to the first one at or after `time`, with it."""
    while (trade := await next_of(events, TradePrint)).at < seoul(A_DAY, time):
        bars.add(trade)
    bars.add(trade)
