"""This is how long an order takes from the decision to the wire, beside what nobody could do without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any, Final

import httpx
import psycopg

from adapters.clock import FixedClock
from bench.figures import Aim, Samples, Section
from bench.places import SYMBOLS, Place, a_desk
from bench.probes import Probe, listening
from tasks.desk import Desk
from tasks.orders import trade
from tasks.reconciliation import reconcile
from trading.instruments import Symbol
from trading.orders import Order, OrderStatus
from trading.signals import Direction, Signal

MARGIN: Final = 0.025
"""Seconds that maemae itself may take."""
NOTES: Final = (
    "Decision: from the last price or cash figure being in, over sizing, gate, durable claim, last look, connect.",
    "Signal taken up: the lease and the broker's answers too.",
    "Real KIS adapter, simulator in a process of its own, PostgreSQL with fsync.",
    "The pace of calls is set so high that nobody waits for it.",
)
ORDERS_A_DAY: Final = 50
_WARM_UP: Final = 10


async def measure_placement(place: Place, orders: int) -> Section:
    """Place `orders` orders, entry and exit in turn, each booked before the next one, `ORDERS_A_DAY` a day."""
    times: dict[str, list[float]] = {}
    clock = FixedClock(await place.to("10:00"))
    with listening() as probe, a_commit(place) as commit:
        async with a_desk(place, clock) as desk, a_round_trip(place) as go_round:
            await reconcile.fn(desk)
            for number in range(-_WARM_UP, orders):
                if number > 0 and number % ORDERS_A_DAY == 0:
                    await _sleep(place, desk, clock)
                sample = await _place(desk, await next_signal(desk, number), probe)
                await reconcile.fn(desk)
                sample |= {"round trip": await go_round(), "commit": commit()}
                if number >= 0:
                    for name, figure in sample.items():
                        times.setdefault(name, []).append(figure)
    return _section(times)


async def _sleep(place: Place, desk: Desk, clock: FixedClock) -> None:
    """Go to the next trading day, and compare the books as every morning."""
    tomorrow = desk.calendar.next_trading_day(desk.today())
    clock.move_to(await place.to("10:00", day=tomorrow))
    await reconcile.fn(desk)


def _section(times: dict[str, list[float]]) -> Section:
    samples = {name: Samples(name, seconds) for name, seconds in times.items()}
    bare = samples["commit"].percentile(99) + samples["round trip"].percentile(99)
    reads, commits = (sorted({int(n) for n in times[name]}) for name in ("reads", "commits"))
    return Section(
        "Decision to bytes on the wire, durable claim included",
        [
            Samples("decision to bytes on the wire", times["wire"]),
            Samples("... of it after the last commit", times["sending"]),
            Samples("signal taken up to bytes on the wire", times["signal"]),
            Samples("signal taken up to answer booked", times["whole"]),
            Samples("bare httpx round trip, fresh connection", times["round trip"]),
            Samples("bare PostgreSQL commit of one row", times["commit"]),
        ],
        [
            Aim(
                "p99 to the wire below commit + round trip (p99 each) + 25 ms",
                samples["wire"].percentile(99),
                bare + MARGIN,
            )
        ],
        [
            f"Before the bytes: {reads} calls to the broker, {commits} transactions. {ORDERS_A_DAY} orders a day.",
            *NOTES,
        ],
    )


async def _place(desk: Desk, signal: Signal, probe: Probe) -> dict[str, float]:
    """Act on a signal; give seconds and counts up to the last byte of the order."""
    probe.clear()
    began = perf_counter()
    orders = await trade.fn(desk, [signal])
    ended = perf_counter()
    _require_placed(orders)
    (sent,) = probe.order_sent
    reads = [read for read in probe.reads if read[1] < sent]
    before = [at for at in probe.commits if at < sent]
    return {
        "wire": sent - max(answered for _, answered in reads),
        "signal": sent - began,
        "whole": ended - began,
        "sending": sent - before[-1],
        "reads": len(reads),
        "commits": len(before),
    }


def _require_placed(orders: tuple[Order, ...]) -> None:
    placed = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}
    if not orders or orders[0].status not in placed:
        raise RuntimeError(f"the order was not placed: {orders}")


async def next_signal(desk: Desk, number: int) -> Signal:
    """Give an entry while nothing is held, else the exit from it."""
    with desk.stores.begin() as work:
        held = work.ledger.held()
    symbol = held[0] if held else SYMBOLS[number // 2 % len(SYMBOLS)]
    last = (await desk.market_data.quote(symbol)).last
    return _a_signal(desk, symbol, Direction.EXIT if held else Direction.ENTRY, number, last)


def _a_signal(desk: Desk, symbol: Symbol, direction: Direction, number: int, last: int) -> Signal:
    at = desk.now()
    signal = Signal(
        strategy_id="bench",
        symbol=symbol,
        direction=direction,
        strength=Decimal("0.1"),
        trigger=f"cross-{number}",
        reason="measured",
        parameter_hash="bench",
        reference_price=last,
        trading_day=desk.today(),
        created_at=at,
        expires_at=at + timedelta(hours=5),
    )
    if direction is Direction.EXIT:
        signal = replace(signal, trigger=f"target-{number}")
    with desk.stores.begin() as work:
        work.signals.add(signal)
    return signal


@asynccontextmanager
async def a_round_trip(place: Place) -> AsyncIterator[Any]:
    """Give the bare httpx: one small answer of the same simulator on a fresh connection, in seconds."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=place.market_url, limits=limits) as client:

        async def go_round() -> float:
            began = perf_counter()
            (await client.get("/sim/health")).raise_for_status()
            return perf_counter() - began

        yield go_round


@contextmanager
def a_commit(place: Place) -> Iterator[Any]:
    """Give the bare commit: one row in a table of its own on the same server, in seconds."""
    with psycopg.connect(place.database_url) as connection:
        connection.execute("CREATE TABLE bare (number bigserial, words text)")
        connection.commit()

        def commit() -> float:
            began = perf_counter()
            connection.execute("INSERT INTO bare (words) VALUES ('an order')")
            connection.commit()
            return perf_counter() - began

        yield commit
