"""This is a simulated trading day on which everything that it depends on goes away and comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from adapters.spools import Spool
from tasks.halts import lift_halt
from tasks.orders import trade
from tasks.readiness import make_ready
from tasks.reconciliation import reconcile
from tests.builders import A_DAY, ACCOUNT, a_signal, seoul
from tests.outages.plans import Act
from tests.outages.worlds import GATE, OutageWorld, until
from trading.errors import MaemaeError, StoreUnavailable
from trading.instruments import Symbol
from trading.orders import Order, OrderStatus
from trading.sessions import KST
from trading.signals import Direction, Signal

STRATEGY: Final = "trend-20-60"
SLICE: Final = timedelta(minutes=20)
"""So much of the market is played at once."""
ATTEMPTS: Final = 20
HEARING_SECONDS: Final = 0.1
"""Real time for the stream to work off a slice."""


@dataclass
class OutageDay:
    """One day, and what was seen on it."""

    world: OutageWorld
    seed: int
    away: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    random: Random = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """Draw from the seed."""
        self.random = Random(self.seed)  # noqa: S311 - a drawn day, not a secret

    async def play(self, acts: tuple[Act, ...]) -> None:
        """Play from before the opening to after the close."""
        await self.world.market.to("08:50")
        await make_ready(self.world.desk)
        self.world.begin_stream()
        await until(lambda: self.world.is_stream_up, "the stream")
        opening = seoul(A_DAY, "09:00")
        for act in acts:
            await self._pass_time(opening + act.after)
            await self._do(act)
        await self._pass_time(seoul(A_DAY, "15:36"))
        await until(lambda: not self.world.stream.is_running, "the end of the stream")
        await reconcile.fn(self.world.desk)
        await until(self._is_all_told, "the last event")

    async def _pass_time(self, at: datetime) -> None:
        now = self.world.desk.now()
        while now < at:
            now = min(now + SLICE, at)
            await self.world.market.to(f"{now.astimezone(KST):%H:%M:%S}")
            await asyncio.sleep(HEARING_SECONDS)

    async def _do(self, act: Act) -> None:
        assert self.world.stream.is_running, self.world.stream.last_words
        match act.what:
            case "stop":
                self.away.add(act.service)
                await self.world.services[act.service].stop()
            case "start":
                await self.world.services[act.service].start()
                self.away.discard(act.service)
                if act.service == "postgres":
                    await self._see_who_works()
                await self._go_on()
            case "try":
                await self._try(act.service)
            case "by hand":
                await self._buy_by_hand(self.random.choice(self.world.desk.channel.symbols))
            case side:
                await self._trade(Direction.ENTRY if side == "buy" else Direction.EXIT)

    async def _go_on(self) -> None:
        """Resume as the owner does, once everything that waited has gone out."""
        await asyncio.sleep(HEARING_SECONDS)
        if self.away & {"kafka", "postgres"}:
            return
        await until(self._is_all_told, "the last event")
        for source in self._halts():
            lift_halt.fn(self.world.desk, source=source, reason="all is back")

    async def _try(self, service: str) -> None:
        """Buy at the end of an outage; with a backlog beyond the threshold the second attempt must be refused."""
        if service == "postgres" and "socket" not in self.away:
            await self._fill_the_spool()
        is_reached = self._is_gate_reached()  # what was acknowledged before may be noted only now
        tried = await self._trade(Direction.ENTRY)
        if service != "kafka" or not (tried and is_reached and self._is_gate_reached()):
            return  # who has nothing left to buy looks at no trip
        orders = await self._trade(Direction.ENTRY)
        assert "trip:events" in self._halts(), "the gate is open beyond the threshold"
        assert [order.status for order in orders] == [OrderStatus.DENIED]
        self.seen["gate closed by Kafka"] += 1

    async def _fill_the_spool(self) -> None:
        """Let the stream hear what no database takes; one that has just connected again may miss the first."""
        for _ in range(ATTEMPTS):
            await self._buy_by_hand(self.world.desk.channel.symbols[0])
            await asyncio.sleep(1)
            if not self._spool.is_empty:
                self.seen["kept on disk"] += 1
                return
        raise AssertionError("never came: a notice on disk")

    async def _see_who_works(self) -> None:
        """After a restart of the database one stream has the lock, and has booked what waited on disk."""
        await until(lambda: self.world.streams() == 1, "the stream's lock")
        await until(lambda: self._spool.is_empty, "what waited on disk")
        assert self.world.streams() == 1
        self.seen["one stream"] += 1

    @property
    def _spool(self) -> Spool:
        assert self.world.desk.spool is not None
        return self.world.desk.spool

    async def _trade(self, direction: Direction) -> tuple[Order, ...]:
        """Trade one signal as place-orders does; without the database nothing may leave."""
        signal, before = await self._signal(direction), await self._placed()
        if signal is None:
            return ()
        try:
            orders = await self._order(signal)
        except MaemaeError as problem:
            if isinstance(problem, StoreUnavailable) and "postgres" not in self.away:
                raise
            orders = ()
            self.seen[type(problem).__name__] += 1
        if "postgres" in self.away:
            assert await self._placed() == before, "an order left without a database"
            self.seen["gate closed by PostgreSQL"] += 1
        self.seen.update(order.status.value for order in orders)
        return orders

    async def _order(self, signal: Signal) -> tuple[Order, ...]:
        await make_ready(self.world.desk, pauses=())
        with self.world.stores.begin() as work:
            work.signals.add(signal)
        return await trade.fn(self.world.desk, [signal])

    async def _signal(self, direction: Direction) -> Signal | None:
        """Want a symbol that is not held, or no longer one that is; None where there is none."""
        book = await self.world.market.book(ACCOUNT)
        held = {row["symbol"] for row in book["positions"]}
        watched = {*self.world.desk.channel.symbols}
        wanted = sorted(watched - held if direction is Direction.ENTRY else watched & held)
        if not wanted:
            return None
        symbol = Symbol(self.random.choice(wanted))
        quote = await self.world.desk.market_data.quote(symbol)
        return a_signal(
            strategy_id=STRATEGY,
            symbol=symbol,
            direction=direction,
            trigger=f"cross-{next(self._numbers)}",
            reference_price=quote.last,
            created_at=self.world.desk.now(),
        )

    async def _buy_by_hand(self, symbol: Symbol) -> None:
        quote = await self.world.desk.market_data.quote(symbol)
        await self.world.market.order_by_hand(ACCOUNT, symbol, 2, quote.last)

    async def _placed(self) -> list[str]:
        """Give the numbers of the orders that came through the API."""
        orders = (await self.world.market.book(ACCOUNT))["orders"]
        return [order["number"] for order in orders if order["channel"] != "HTS"]

    def _is_gate_reached(self) -> bool:
        return "postgres" not in self.away and self._backlog() >= GATE

    def _backlog(self) -> int:
        with self.world.stores.begin() as work:
            return work.outbox.backlog().count

    def _is_all_told(self) -> bool:
        return self._backlog() == 0

    def _halts(self) -> list[str]:
        with self.world.stores.begin() as work:
            return [halt.source for halt in self.world.desk.halts(work)]
