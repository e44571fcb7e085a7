"""This is a process killed in the midst of an order in mid-session, and the next one ready within ten seconds.

The next one has imported everything already, as the copies of the warm engine have; `make bench` measures a cold start.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from flows.desk import open_desk
from tasks.desk import Desk
from tasks.reconciliation import reconcile
from tests.builders import (
    ACCOUNT,
    HYUNDAI,
    LG_CHEM,
    NAVER,
    SAMSUNG,
    a_signal,
    an_intent,
    looks_good,
)
from tests.flow_worlds import World, a_market, entered
from trading.orders import Order, OrderStatus

ORDERS_OF_A_DAY = 40
ALLOWED_SECONDS = 10.0


@pytest.fixture
def world(tmp_path: Path, postgres_url: str) -> Iterator[World]:
    """A simulator of its own, 100,000,000 won, nothing known."""
    with (
        a_market("real", accounts=[ACCOUNT]) as market,
        entered(market, ACCOUNT, tmp_path / "home", postgres_url) as world,
    ):
        yield world


@pytest.mark.timed
async def test_who_comes_after_a_kill_is_ready_within_ten_seconds(world: World) -> None:
    await world.market.to("09:30")
    async with open_desk() as desk:
        await reconcile.fn(desk)
        for number in range(ORDERS_OF_A_DAY):
            await _buy(desk, number)
        with desk.stores.begin() as work:
            work.signals.add(a_signal())
    await world.market.to("10:00")  # some of them have filled, and nobody has heard of it
    await world.market.faults(reply_delayed={"seconds": 60, "symbols": [LG_CHEM]})
    with _process("trade") as trader, _process("ready") as next_one:
        assert (_hear(trader), _hear(next_one)) == ("trading", "standing by")
        await _until_the_broker_has_it(world)
        killed_at = monotonic()
        trader.kill()
        assert next_one.stdin is not None
        next_one.stdin.write("go\n")
        next_one.stdin.flush()
        assert _hear(next_one) == "ready"
        seconds = monotonic() - killed_at
    print(f"ready {seconds:.1f} s after the kill, {ORDERS_OF_A_DAY} orders on the day")  # noqa: T201 - the figure
    (bound,) = (order for order in world.orders() if order.symbol == LG_CHEM)
    (theirs,) = (row for row in await world.placed() if row["symbol"] == LG_CHEM)
    assert bound.broker_order_id == theirs["number"]
    assert {fill.symbol for fill in world.executions()} >= {SAMSUNG}
    assert seconds < ALLOWED_SECONDS


async def _buy(desk: Desk, number: int) -> None:
    """Place an order as a strategy did earlier in the day: every other one at a price that trades."""
    symbol = (SAMSUNG, HYUNDAI, NAVER)[number % 3]
    quote = await desk.market_data.quote(symbol)
    at = desk.now()
    intent = an_intent(
        client_order_id=f"20180116-{symbol}-B-{number:016}",
        signal_id=f"earlier-{number}",
        symbol=symbol,
        quantity=1,
        limit_price=quote.upper_limit if number % 2 and symbol == SAMSUNG else quote.lower_limit,
        created_at=at,
    )
    receipt = await desk.broker.place(intent, last_look=looks_good)
    submitted = Order.initialize(intent).submit(at=at)
    accepted = submitted.accept(receipt.broker_order_id, branch=receipt.branch, at=at)
    with desk.stores.begin() as work:
        work.orders.add(Order.initialize(intent))
        for state in (submitted, replace(accepted, status=OrderStatus.ACCEPTED)):
            work.orders.save(state)


@contextmanager
def _process(act: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.traders", act]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own words
        try:
            yield process
        finally:
            process.kill()


def _hear(process: subprocess.Popen[str]) -> str:
    """Give the next word of a process; logs go to a file."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() in {"trading", "standing by", "ready"}:
            return line.strip()
    return ""


async def _until_the_broker_has_it(world: World) -> None:
    for _ in range(150):
        await asyncio.sleep(0.2)
        if any(row["symbol"] == LG_CHEM for row in await world.placed()):
            return
    raise AssertionError("the order never arrived")
