"""This is too many events that wait, or one that waits too long: no new orders, and sells go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from adapters.events import signal_out
from adapters.postgres import PostgresStores
from adapters.stores import Stores
from tasks.trips import check_trips
from tests.builders import SAMSUNG, a_signal
from tests.desks import a_floor, an_exit
from trading.halts import TradingState
from trading.orders import OrderStatus


async def test_a_backlog_closes_buys_while_sells_go_on(
    tmp_path: Path, stores: PostgresStores
) -> None:
    """Kafka is set and nothing leaves: one event below the limit all is open, at the limit buys are refused."""
    floor = a_floor(tmp_path, stores=stores, trips={"unsent_events": 100})
    floor = replace(floor, desk=replace(floor.desk, is_relayed=True))
    entry = await floor.hold()
    with stores.begin() as work:
        waiting = work.outbox.backlog().count
    tell(stores, 99 - waiting)
    assert check_trips(floor.desk, prices={}) == ()
    tell(stores, 1)
    (halt,) = check_trips(floor.desk, prices={})
    assert (halt.source, halt.state) == ("trip:events", TradingState.REDUCING)
    await floor.trade(replace(a_signal(symbol=SAMSUNG), trigger="again"))
    assert "HALTED" in "".join(floor.breaches)
    (sell,) = await floor.trade(an_exit(entry))
    assert sell.status is OrderStatus.ACCEPTED


async def test_the_age_of_a_backlog_trips_too_and_without_kafka_nothing_waits(
    tmp_path: Path, stores: PostgresStores
) -> None:
    floor = a_floor(tmp_path, stores=stores, trips={"unsent_seconds": 1})
    await floor.open()
    tell(stores, 1)
    await asyncio.sleep(1.1)
    assert check_trips(floor.desk, prices={}) == ()
    (halt,) = check_trips(replace(floor.desk, is_relayed=True), prices={})
    assert halt.source == "trip:event_age"


def tell(stores: Stores, count: int) -> None:
    """Write events of a signal."""
    with stores.begin() as work:
        for _ in range(count):
            work.outbox.add(signal_out(a_signal()))
