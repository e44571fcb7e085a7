"""This is a whole session, compressed, with more to watch than the stream takes: every call of it as the broker counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kis_sim.gateway import Answer, Ask, Gateway
from tasks.polling import SHARE
from tasks.streaming import StreamSession
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, NAVER, SAMSUNG, a_signal, seoul
from tests.desks import a_channel
from tests.kis_floors import KisFloor, a_kis_floor
from trading.instruments import Symbol
from trading.orders import OrderStatus, Side

PACE = 10
HEARD = (LG_CHEM, SAMSUNG)
UNHEARD = (HYUNDAI, NAVER, Symbol("015760"), Symbol("068270"))
PRICE, ORDER = "inquire-price", "order-cash"
CLOSE = seoul(A_DAY, "15:30")


@dataclass
class Calls:
    """Every REST call that reached the broker: when, which, and about what."""

    made: list[tuple[float, str, str]] = field(default_factory=list)
    lag: float = 0.0

    def note(self, ask: Ask) -> None:
        """Note one that came just now."""
        symbol = ask.query.get("FID_INPUT_ISCD", "")
        self.made.append((time.monotonic(), ask.path.rpartition("/")[2], symbol))

    def of(self, name: str, symbol: str = "") -> list[float]:
        """Give when calls of that name came, about one symbol or any."""
        return [at for at, made, about in self.made if made == name and symbol in {"", about}]

    def most_in_a_second(self, moments: Sequence[float]) -> int:
        """Count the most that came within any one second, less by what a call may have come late here."""
        second = min(1.0, 1.1 - self.lag)  # the pace keeps a tenth for that
        return max(sum(at <= other < at + second for other in moments) for at in moments)

    async def watch_lag(self) -> None:
        """See how late this process comes to anything, on a machine that is busy."""
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.monotonic() - due)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Count what the simulator answers."""
    counted, answer = Calls(), Gateway.answer

    def counting(gateway: Gateway, ask: Ask) -> Answer:
        counted.note(ask)
        return answer(gateway, ask)

    monkeypatch.setattr(Gateway, "answer", counting)
    return counted


@asynccontextmanager
async def a_session(folder: Path) -> AsyncIterator[tuple[KisFloor, StreamSession]]:
    """Six symbols to watch, of which the stream takes two; one call in two may ask for the others."""
    async with a_kis_floor(folder, calls_per_second=PACE) as floor:
        floor.faults(max_subscriptions={"limit": len(HEARD) + 1})  # and the notices
        rules = [
            each.model_dump(mode="json") | {"exits": {"stop_loss": "0.01", "take_profit": None}}
            for each in floor.desk.channel.strategies
        ]
        channel = a_channel(watch_list=[*HEARD, *UNHEARD], strategies=rules)
        floor.desk = replace(floor.desk, channel=channel, poll_seconds=SHARE / PACE)
        yield floor, StreamSession(floor.desk)


@pytest.mark.timed
@pytest.mark.timeout(240)
async def test_a_session_keeps_the_pace_and_asks_for_all_that_it_does_not_hear(
    tmp_path: Path, calls: Calls
) -> None:
    """Others read history at the same time, as fast as they are let, and a stop is reached in the middle of it."""
    async with a_session(tmp_path) as (floor, session):
        await floor.trade(a_signal(reference_price=438_000))
        running = asyncio.create_task(session.run(until=CLOSE + timedelta(minutes=5)))
        beside = [asyncio.create_task(read_on(floor)) for _ in range(3)]
        lagging = asyncio.create_task(calls.watch_lag())
        at = seoul(A_DAY, "08:55")
        while not running.done():
            at += timedelta(minutes=20)
            await floor.world.simulator.advance_to(at)
            await asyncio.sleep(0.5)
        for each in (*beside, lagging):
            each.cancel()
        await running
    orders = calls.of(ORDER)
    reads = [at for at, name, _ in calls.made if name != ORDER]
    assert calls.most_in_a_second(reads) <= PACE - 1, "a place is left for orders"
    assert len(reads) > PACE * (reads[-1] - reads[0]) / 4, "or nobody was kept waiting"
    assert calls.most_in_a_second(sorted(reads + orders)) <= PACE
    polls = {symbol: calls.of(PRICE, symbol) for symbol in UNHEARD}
    assert min(len(moments) for moments in polls.values()) >= 2
    assert (
        calls.most_in_a_second([at for moments in polls.values() for at in moments]) <= PACE / SHARE
    )
    assert [(o.side, o.status) for o in floor.orders] == [
        (side, OrderStatus.FILLED) for side in (Side.BUY, Side.SELL)
    ]
    assert (len(orders), session.exits) == (2, 1)
    floor.assert_books_agree()


async def read_on(floor: KisFloor) -> None:
    """Read history as fast as it is given, as ingest-bars may at any time."""
    first = A_DAY - timedelta(days=9)
    while True:
        await floor.desk.market_data.daily_bars(SAMSUNG, first=first, last=A_DAY)
