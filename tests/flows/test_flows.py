"""This is each flow once through the real Prefect engine, with what it leaves in rows, messages and the UI."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.flows import Flow
from prefect.states import Cancelling, Scheduled

from adapters.clock import SystemClock
from flows.eod_report import eod_report
from flows.generate_signals import generate_signals
from flows.ingest_bars import ingest_bars
from flows.place_orders import place_orders
from flows.reconcile_fills import reconcile_fills
from flows.refresh_token import refresh_token
from flows.stream_fills import stream_fills
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, a_signal, seoul
from tests.flow_worlds import (
    STREAM_IS_UP,
    World,
    a_market,
    artifacts_of,
    carry_out,
    entered,
    remember,
    told,
    wait_until,
)
from trading.bars import Interval
from trading.indices import Index
from trading.orders import OrderStatus

YESTERDAY = date(2018, 1, 15)
WITH_SESSION = [ingest_bars, generate_signals, place_orders, reconcile_fills, stream_fills]
TIMELY: list[Flow[..., Any]] = [generate_signals, place_orders]


async def run_late(flow: Flow[..., Any], by: timedelta) -> State[Any]:
    """Carry out a run that was due some time ago, as after an outage of the server."""
    due: State[None] = Scheduled(scheduled_time=SystemClock().now() - by)
    async with get_client() as client:
        return await carry_out(flow, await client.create_flow_run(flow, state=due))


async def test_a_token_is_issued_once_for_all_runs(world: World) -> None:
    await world.market.faults(same_token={"hours": 0})  # every further issue would be another token

    first = await carry_out(refresh_token)
    (vault,) = world.home.rglob("*.token")
    token = vault.read_bytes()
    second = await carry_out(refresh_token)

    words = "Token valid until 2018-01-17 08:50:00, {} days of the broker's calendar"
    assert told(first) == ("Completed", words.format(25))
    assert told(second) == ("Completed", words.format(0))
    assert vault.read_bytes() == token


async def test_the_broker_s_calendar_is_kept(world: World) -> None:
    await carry_out(refresh_token)

    with world.stores.begin() as work:
        days = work.calendar.all()
    assert days[A_DAY] is True
    assert days[date(2018, 1, 20)] is False  # a Saturday


async def test_ingested_bars_are_the_market_s(world: World) -> None:
    state = await carry_out(ingest_bars)

    with world.stores.begin() as work:
        stored = work.bars.last(LG_CHEM, Interval.DAY, count=500, until=A_DAY)
        instrument = work.instruments.get(LG_CHEM)
    last = stored[-1]
    assert (last.trading_day, last.is_provisional) == (YESTERDAY, False)
    assert (last.open, last.high, last.low, last.close) == (426_000, 441_500, 425_500, 437_000)
    assert last.volume == 212_044
    assert instrument is not None
    # from 2017-06-30, 200 days before, to 2018-01-15: 132 sessions of 6 symbols
    assert told(state) == (
        "Completed",
        "792 bars of 6 symbols stored, 0 refused, 0 days missing",
    )
    *shares, index = json.loads((await artifacts_of(state))["ingest-bars"])
    assert len(shares) == 6
    with world.stores.begin() as work:
        kospi = work.indices.between(Index.KOSPI, first=date(2017, 1, 1), last=A_DAY)
    assert (len(kospi), kospi[-1].trading_day) == (132, YESTERDAY)
    assert f"{kospi[-1].close:,.2f}" in index.values()


@pytest.mark.usefixtures("world")
async def test_ingesting_again_changes_nothing() -> None:
    await carry_out(ingest_bars, symbols=[LG_CHEM])

    again = await carry_out(ingest_bars, symbols=[LG_CHEM])

    assert told(again)[1] == "0 bars of 1 symbols stored, 0 refused, 0 days missing"


async def test_signals_are_stored_once_and_order_nothing(world: World) -> None:
    await carry_out(ingest_bars)
    state = await carry_out(generate_signals)
    await carry_out(generate_signals)

    with world.stores.begin() as work:
        (signal,) = work.signals.of_day(A_DAY)
    assert (signal.strategy_id, signal.symbol, signal.trigger) == (
        "trend-20-60",
        LG_CHEM,
        "cross",
    )
    assert told(state)[1] == "1 signals from 12 evaluations, 0 symbols could not be evaluated"
    assert world.orders() == ()
    assert await world.placed() == []


async def test_a_signal_becomes_one_order_however_often_the_flow_runs(world: World) -> None:
    remember(world, a_signal())

    state = await carry_out(place_orders)
    again = await carry_out(place_orders)

    (order,) = world.orders()
    (theirs,) = await world.placed()
    # 15 % of 100,000,000 at 437,000 + 1 %, on the grid of 500: 34 x 441,000 = 14,994,000
    assert (order.status, order.quantity, order.intent.limit_price) == ("ACCEPTED", 34, 441_000)
    assert (theirs["number"], theirs["quantity"], theirs["price"]) == (
        order.broker_order_id,
        34,
        441_000,
    )
    assert (
        told(state)[1]
        == "1 signals: 1 orders placed, 0 denied, 0 rejected by the broker, 0 in doubt"
    )
    assert (
        told(again)[1]
        == "1 signals: 0 orders placed, 0 denied, 0 rejected by the broker, 0 in doubt"
    )
    assert [title for title in world.titles if "accepted" in title] == [
        "LG화학 Buy 34 shares accepted (441,000 KRW)"
    ]


async def test_a_run_is_readable_in_the_ui(world: World) -> None:
    remember(world, a_signal())

    state = await carry_out(place_orders)

    run_id = state.state_details.flow_run_id
    assert run_id is not None
    async with get_client() as client:
        flow_run = await client.read_flow_run(run_id)
    (row,) = json.loads((await artifacts_of(state))["place-orders"])
    assert flow_run.name == "place-orders 2018-01-16 08:50"
    assert "34" in row.values()


async def test_an_order_without_an_answer_is_found_in_the_broker_s_book(world: World) -> None:
    remember(world, a_signal())
    await world.market.faults(reply_lost={"count": 1})

    placing = await carry_out(place_orders)

    (order,) = world.orders()
    (theirs,) = await world.placed()
    assert told(placing)[1].endswith(
        "1 orders placed, 0 denied, 0 rejected by the broker, 0 in doubt"
    )
    assert (order.status, order.broker_order_id) == (OrderStatus.ACCEPTED, theirs["number"])
    state = await carry_out(reconcile_fills)
    assert told(state) == ("Completed", "1 orders compared, 0 fills booked, 0 differences")
    assert [message["severity"] for message in world.messages] == ["CRITICAL"]


async def test_an_order_placed_by_hand_is_named(world: World) -> None:
    await world.market.order_by_hand(world.account, LG_CHEM, 1, 430_000)

    state = await carry_out(reconcile_fills)

    rows = json.loads((await artifacts_of(state))["reconcile-fills"])
    assert [row["kind"] for row in rows] == ["OPEN", "ORDER_FOREIGN"]
    assert world.orders() == ()
    assert world.titles == ["1 differences to the broker's book"]


async def test_a_report_is_written_told_and_published(world: World) -> None:
    await carry_out(reconcile_fills)  # opens our book

    state = await carry_out(eod_report)

    with world.stores.begin() as work:
        point = work.equity.get(A_DAY)
    artifacts = await artifacts_of(state)
    written = sorted(path.name for path in (world.home / "reports").iterdir())
    assert point is not None
    assert (point.opening, point.paid_in, point.closing) == (0, 100_000_000, 100_000_000)
    assert {"2018-01-16.html", "2018-01-16.json", "2018-01-16.md"} <= set(written)
    assert "100,000,000" in artifacts["eod-report-page"]
    assert told(state) == ("Completed", world.titles[-1])
    assert world.messages[-1]["link"].endswith("/artifacts/key/eod-report")


async def test_a_canceled_stream_leaves_lock_and_socket_free(world: World) -> None:
    for _ in range(2):
        is_up = world.says_once_more(STREAM_IS_UP)
        streaming = asyncio.create_task(carry_out(stream_fills))
        await wait_until(is_up)
        streaming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await streaming

    assert world.titles == ["Fill stream failed"] * 2


async def test_a_stream_cancelled_in_prefect_ends_in_order_within_ten_seconds(world: World) -> None:
    """Without a worker's help: what it looks with is lost once the server was away for half a minute."""
    is_up = world.says_once_more(STREAM_IS_UP)
    async with get_client() as client:
        run = await client.create_flow_run(stream_fills)
        streaming = asyncio.create_task(carry_out(stream_fills, run))
        await wait_until(is_up)
        began = asyncio.get_running_loop().time()
        await client.set_flow_run_state(run.id, Cancelling())
        state = await streaming
        assert asyncio.get_running_loop().time() - began < 10
    assert state.type is StateType.CANCELLED
    assert state.message is not None
    assert "inquiries" in state.message
    assert world.titles == []


@pytest.mark.parametrize("flow", [*WITH_SESSION, eod_report], ids=lambda flow: flow.name)
async def test_nothing_happens_on_a_holiday(world: World, flow: Flow[..., Any]) -> None:
    """The broker's word is the authority: a day can become a holiday at short notice."""
    remember(world, a_signal())
    close(world)

    state = await carry_out(flow)

    assert told(state) == ("Skipped", "No session on 2018-01-16 (Tue)")
    assert world.orders() == ()
    assert await world.placed() == []


@pytest.mark.parametrize("flow", TIMELY, ids=lambda flow: flow.name)
async def test_a_late_run_does_nothing(world: World, flow: Flow[..., Any]) -> None:
    """After an outage of an hour Prefect starts all that was missed at once."""
    remember(world, a_signal())

    state = await run_late(flow, timedelta(hours=1))

    name, message = told(state)
    assert name == "Skipped"
    assert message.startswith("3,60")
    assert message.endswith("s later than scheduled")
    assert world.orders() == ()


async def test_a_run_that_is_a_little_late_acts(world: World) -> None:
    remember(world, a_signal())

    state = await run_late(place_orders, timedelta(minutes=4))

    assert state.name == "Completed"
    assert len(await world.placed()) == 1


@pytest.mark.usefixtures("world")
async def test_reconciling_is_never_too_late() -> None:
    state = await run_late(reconcile_fills, timedelta(hours=1))

    assert state.name == "Completed"


@pytest.mark.parametrize("flow", [*WITH_SESSION, eod_report], ids=lambda flow: flow.name)
async def test_a_second_copy_does_nothing(world: World, flow: Flow[..., Any]) -> None:
    remember(world, a_signal())

    with world.stores.lock(f"flow:{flow.name}") as is_first:
        state = await carry_out(flow)

    assert is_first
    assert state.name == "Skipped"
    assert "already running" in told(state)[1]
    assert await world.placed() == []


async def test_a_failing_read_orders_nothing_and_is_told(world: World) -> None:
    remember(world, a_signal())
    await world.market.faults(reply_lost={"trs": ["TTTC8434R"]})  # positions and cash

    state = await carry_out(place_orders)

    message = world.messages[-1]
    assert state.is_failed()
    assert (message["severity"], message["title"]) == ("CRITICAL", "Order placement failed")
    assert message["link"].endswith(f"/runs/flow-run/{state.state_details.flow_run_id}")
    assert world.orders() == ()
    assert await world.placed() == []


def close(world: World) -> None:
    """Let the broker say that today is a holiday."""
    with world.stores.begin() as work:
        work.calendar.put({A_DAY: False}, at=seoul(A_DAY, "07:00"))


async def test_orders_wait_as_long_as_the_opening_is_late(
    tmp_path: Path, postgres_url: str
) -> None:
    """On the first trading day of a year the market opens at ten; the schedule knows of no such days."""
    new_year = date(2018, 1, 2)
    times = {"created_at": seoul(new_year, "08:40"), "expires_at": seoul(new_year, "16:30")}
    with (
        a_market("paper", "--day", f"{new_year}") as market,
        entered(market, ACCOUNT, tmp_path / "home", postgres_url) as world,
    ):
        remember(world, a_signal(trading_day=new_year, **times))
        await market.to("08:50", new_year)
        async with get_client() as client:
            flow_run = await client.create_flow_run(place_orders)
            placing = asyncio.create_task(carry_out(place_orders, flow_run))
            while (await client.read_flow_run(flow_run.id)).name == flow_run.name:  # noqa: ASYNC110 - Prefect can only be asked
                await asyncio.sleep(0.1)  # it is named just before it waits
        early, _ = await asyncio.wait([placing], timeout=1.5)
        await market.to("09:49", new_year)
        still_early, _ = await asyncio.wait([placing], timeout=1.5)
        await market.to("09:50", new_year)
        state = await placing

        (order,) = await world.placed()
    assert early | still_early == set()
    assert order["at"] == "2018-01-02T09:50:00+09:00"
    assert told(state)[1].startswith("1 signals: 1 orders placed")
