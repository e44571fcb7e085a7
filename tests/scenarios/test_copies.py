"""This is many processes with the same task: real ones, on the real database and the simulator, one order each decision."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.halt_files import HaltFile
from adapters.postgres import PostgresStores
from flows.desk import open_desk
from tasks.orders import trade
from tasks.reconciliation import reconcile
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, a_signal, seoul
from tests.flow_worlds import Market, World, a_market, entered
from trading.halts import Halt, TradingState
from trading.orders import WITHHELD, Order, OrderStatus
from trading.signals import Signal

RUN = """
import asyncio
from flows.desk import open_desk
from tasks.orders import trade

async def run(broker=lambda broker: broker):
    async with open_desk() as desk:
        object.__setattr__(desk, "broker", broker(desk.broker))
        with desk.stores.begin() as work:
            signals = work.signals.of_day(desk.today())
        return await trade.fn(desk, signals)
"""

MANY = f"""{RUN}
import os, sys
print("ready", flush=True)
pids = []
for _ in range(int(sys.stdin.readline())):
    pids.append(os.fork())
    if not pids[-1]:
        made = 99
        try:
            made = len(asyncio.run(run()))
        finally:
            os._exit(made)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids], flush=True)
"""

SLEEPY = f"""{RUN}
import os, signal
from datetime import timedelta
from sys import argv
from tasks import submissions

submissions.SEND_WITHIN = timedelta(seconds=float(argv[1]))

class Sleepy:
    def __init__(self, broker):
        self.broker = broker
    def __getattr__(self, name):
        return getattr(self.broker, name)
    async def place(self, intent, *, last_look):
        os.kill(os.getpid(), signal.SIGSTOP)
        return await self.broker.place(intent, last_look=last_look)

try:
    print([order.error_code or order.status for order in asyncio.run(run(Sleepy))])
except Exception as error:
    print(type(error).__name__)
"""

BUY = a_signal()
OTHER = a_signal(symbol=SAMSUNG, reference_price=50_000)


ACCOUNTS = tuple(f"500125{number:02}-01" for number in range(8))
UNUSED = iter(ACCOUNTS)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    """A simulator whose clock stays at 08:50, with an account for each test."""
    with a_market("real", accounts=ACCOUNTS) as market:
        yield market


@pytest.fixture
def world(market: Market, tmp_path: Path, postgres_url: str) -> Iterator[World]:
    """The opening auction, both books opened and equal."""
    with entered(market, next(UNUSED), tmp_path / "home", postgres_url) as world:
        asyncio.run(_open(world))
        yield world


async def _open(world: World) -> None:
    await world.market.to("08:50")
    async with open_desk() as desk:
        await reconcile.fn(desk)


def placed(world: World) -> list[str]:
    """Give the symbols of the orders that the broker has."""
    return sorted(order["symbol"] for order in asyncio.run(world.placed()))


def decide(world: World, *signals: Signal) -> None:
    with world.stores.begin() as work:
        for each in signals:
            work.signals.add(each)


@pytest.mark.parametrize("copies", [5, 12])
def test_many_copies_at_once_place_each_decision_once(world: World, copies: int) -> None:
    """Incidents 14 and 15: the same run started five times; twelve late runs released at once."""
    decide(world, BUY, OTHER)
    with subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", MANY), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        said, _ = process.communicate(f"{copies}\n", timeout=120)
    made = json.loads(said)
    assert sorted(made) in ([0] * (copies - 1) + [2], [0] * (copies - 2) + [1, 1])
    assert placed(world) == [SAMSUNG, LG_CHEM]
    assert [order.status for order in world.orders()] == [OrderStatus.ACCEPTED] * 2


@contextmanager
def asleep(world: World, *, send_within: float = 10) -> Iterator[subprocess.Popen[str]]:
    """Let a process trade until it is stopped between commit and send; it must be woken in the block."""
    decide(world, BUY)
    with subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", SLEEPY, str(send_within)), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            (order,) = world.orders()
            assert order.status is OrderStatus.SUBMITTED
            yield process
        finally:
            process.kill()


def wake(process: subprocess.Popen[str]) -> str:
    """Let it go on; give its last words."""
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=60)
    return said.strip()


async def take_over(world: World, url: str, *signals: Signal) -> tuple[Order, ...]:
    """Trade as the next process that takes a holder for stopped after one second."""
    with closing(
        PostgresStores(url, channel="dev", account=world.account, lease_seconds=1)
    ) as stores:
        async with open_desk() as desk:
            return await trade.fn(replace(desk, stores=stores), signals)


def test_a_stopped_process_that_wakes_after_another_took_over_sends_and_writes_nothing(
    world: World, postgres_url: str
) -> None:
    with asleep(world) as process:
        asyncio.run(asyncio.sleep(1.5))
        (order,) = asyncio.run(take_over(world, postgres_url, BUY, OTHER))
        assert (order.symbol, order.status) == (SAMSUNG, OrderStatus.ACCEPTED)
        assert wake(process) == "LeaseLost"
    assert placed(world) == [SAMSUNG]
    (first, _) = world.orders()
    assert (first.symbol, first.status) == (LG_CHEM, OrderStatus.SUBMITTED)  # in doubt, for others


def test_a_process_that_slept_too_long_sends_nothing_though_nobody_took_over(
    world: World,
) -> None:
    with asleep(world, send_within=0.5) as process:
        asyncio.run(asyncio.sleep(0.6))
        assert wake(process) == f"['{WITHHELD}']"
    assert placed(world) == []
    (order,) = world.orders()
    assert (order.status, order.error_code) == (OrderStatus.REJECTED, WITHHELD)


def test_a_process_that_slept_through_a_halt_sends_nothing(world: World) -> None:
    with asleep(world) as process:
        halt = Halt("operator", TradingState.HALTED, "stop", seoul(A_DAY, "08:50"))
        HaltFile(world.home / "halt.json").put(halt)
        assert wake(process) == f"['{WITHHELD}']"
    assert placed(world) == []


def test_a_process_that_wakes_in_time_sends_once(world: World) -> None:
    with asleep(world) as process:
        assert "ACCEPTED" in wake(process)
    assert placed(world) == [LG_CHEM]


def test_a_process_killed_between_commit_and_send_leaves_one_doubt_and_no_order(
    world: World, postgres_url: str
) -> None:
    with asleep(world) as process:
        process.kill()
        process.wait()
        (order,) = asyncio.run(take_over(world, postgres_url, BUY, OTHER))
    assert (order.symbol, placed(world)) == (SAMSUNG, [SAMSUNG])
