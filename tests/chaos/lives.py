"""This is what a process of a run does: order, cancel, listen, look again, recover, until it dies or the day is over."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from risk.trips import TripLimits
from tasks.cancellations import cancel_order
from tasks.desk import Desk
from tasks.orders import trade
from tasks.reconciliation import Reconciliation, reconcile
from tasks.streaming import StreamSession
from tasks.writers import only_writer
from tests.builders import A_DAY, a_signal, seoul
from tests.chaos.hands import Hands
from tests.chaos.scenarios import Scenario
from tests.chaos.stages import PRICES, Place, a_desk
from tests.chaos.steps import Diary, Trap
from trading.doubts import SEND_WITHIN
from trading.errors import MaemaeError
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import NEVER_IN, Order, OrderIntent, OrderStatus, Side
from trading.signals import Direction, Signal

FIRST_LOOKS: Final = (1, 4)
LOOKS: Final = (1, 4, 15, 30, 60, 90, 120, 180, 300)
"""Seconds of market time before each look of a process that recovers."""
SWEEPS: Final = 2
"""Looks that go on after an order was called absent: it must not turn up."""
LAST_LOOKS: Final = 10
"""So often the book is asked for after the close, until it can be read once."""
TRIPPING: Final = TripLimits().orders_in_doubt
"""Orders in doubt at which the kill switch trips."""
QUIET: Final = 0.1
"""Seconds of the hasty loop in which no notice comes: all are in."""
AFTER_CLOSE: Final = "15:36"


@dataclass(frozen=True, slots=True)
class Books:
    """Our book at the end of a run."""

    orders: tuple[Order, ...]
    executions: tuple[Execution, ...]
    cash: int
    positions: dict[Symbol, int]


def entry_of(symbol: Symbol) -> Signal:
    """Give the decision to buy a symbol."""
    return a_signal(symbol=symbol, reference_price=PRICES[symbol])


def signal_of(scenario: Scenario) -> Signal:
    """Give the decision that all processes of a run act on."""
    entry = entry_of(scenario.symbol)
    if scenario.side is Side.BUY:
        return entry
    return replace(entry, direction=Direction.EXIT, trigger="target", reason="target")


class Adversary:
    """The owner at his HTS, who orders the same as the program."""

    def __init__(self, scenario: Scenario, hands: Hands, diary: Diary) -> None:
        self._scenario, self._hands, self._diary = scenario, hands, diary

    def meet(self, intent: OrderIntent, word: str) -> None:
        """Place the same order if this is a moment for it."""
        if intent.symbol != self._scenario.symbol or intent.side is not self._scenario.side:
            return
        order = {
            "symbol": intent.symbol,
            "side": intent.side.value,
            "quantity": intent.quantity,
            "price": intent.limit_price or 0,
        }
        self._diary.write("intent", **order)
        self.act(word, order)

    def act(self, word: str, order: dict[str, Any]) -> None:
        """Place an order by hand, once for each word."""
        is_new = word not in {entry["word"] for entry in self._diary.of("by hand")}
        if word in self._scenario.adversary and is_new:
            self._diary.write("by hand", word=word, taken=self._hands.order(**order))


@dataclass(slots=True)
class Life:
    """One process at work."""

    place: Place
    trap: Trap
    desk: Desk
    session: StreamSession

    async def open_day(self) -> None:
        """Take over the account's book, and for a sell buy first, before anything goes wrong."""
        scenario, hands = self.place.scenario, self.place.hands
        if scenario.side is Side.SELL:
            hands.order(symbol=scenario.symbol, side="BUY", quantity=300, price=0)
        self.trap.diary.write("opening", orders=hands.count_orders())
        await reconcile.fn(self.desk)
        if scenario.side is Side.SELL:
            await trade.fn(self.desk, [entry_of(scenario.symbol)])
            hands.advance(30)
            await reconcile.fn(self.desk)
        hands.advance(120)
        hands.faults(scenario.faults)
        self.trap.diary.write("curtain")

    async def first(self) -> None:
        """Place the order, perhaps cancel it, look a few times."""
        self.trap.is_armed = True
        await self._try(self._trade)
        await self._listen()
        if self.place.scenario.cancels:
            await self._try(self._cancel)
        for seconds in FIRST_LOOKS:
            await self._look(seconds)

    async def recover(self) -> None:
        """Go on after a death until nothing is open, then to the close."""
        self.trap.is_armed = True
        self.place.hands.advance(self.place.scenario.restart)
        has_traded = await self._try(self._trade)
        await self._look_until_settled(has_traded=has_traded)
        if self.place.scenario.cancels:
            await self._try(self._cancel)
        self.place.hands.advance_to(seoul(A_DAY, AFTER_CLOSE))
        for _ in range(LAST_LOOKS):
            if await self._look(60):
                break
        self.trap.diary.write("closed")

    async def take_over(self) -> None:
        """Take the right to order from a process that sleeps, go on, and pause while that one wakes up."""
        _age_lease(self.place)
        has_traded = await self._try(self._trade)
        await self._look_until_settled(has_traded=has_traded)
        os.kill(os.getpid(), signal.SIGSTOP)

    async def _look_until_settled(self, *, has_traded: bool) -> None:
        """Look until no order is in doubt, the decision was acted on since, and what was absent stayed so."""
        looks_left = 0
        for place, seconds in enumerate(LOOKS):
            has_seen = await self._look(seconds)
            if any(order.is_in_doubt for order in self._orders()):
                has_traded = False
                if place >= self.place.scenario.patience:
                    await self._try(self._order_neighbour)
            elif has_seen and not has_traded:
                has_traded = await self._try(self._trade)
                looks_left = SWEEPS if _is_absent(self._orders()) else 0
            elif has_seen:
                looks_left -= 1
            if has_traded and looks_left <= 0:
                return

    async def _trade(self) -> None:
        await trade.fn(self.desk, [signal_of(self.place.scenario)])

    async def _cancel(self) -> None:
        wanted = (self.place.scenario.symbol, self.place.scenario.side)
        async with only_writer(self.desk) as lease:
            for order in self._orders():
                is_ours = order.intent.strategy_id == "trend" and order.broker_order_id
                if is_ours and order.is_open and (order.symbol, order.side) == wanted:
                    await cancel_order(self.desk, lease, order.client_order_id, reason="chaos")

    async def _order_neighbour(self) -> None:
        """Order another symbol while one is in doubt: nothing may be in its way.

        Nobody dies in it while two are in doubt, and with three of them nobody orders: there the kill switch trips,
        as it should.
        """
        orders, was_armed = self._orders(), self.trap.is_armed
        doubts = sum(order.is_in_doubt for order in orders)
        taken = {order.symbol for order in orders if order.error_code not in NEVER_IN}
        free = (each for each in self.desk.channel.symbols if each not in taken)
        symbol = next(free, None)
        if symbol is None or doubts >= TRIPPING or _has_control(orders):
            return
        self.trap.is_armed = was_armed and doubts < TRIPPING - 1
        try:
            made = await trade.fn(self.desk, [entry_of(symbol)])
        finally:
            self.trap.is_armed = was_armed
        self.trap.diary.write("neighbour", became=[str(order.status) for order in made])

    async def _look(self, seconds: float) -> bool:
        """Let time pass, work off what came, compare the books; tell whether the broker's could be read."""
        self.place.hands.advance(seconds)
        await self._listen()
        return await self._try(self._reconcile)

    async def _reconcile(self) -> Reconciliation:
        return await reconcile.fn(self.desk)

    async def _listen(self) -> None:
        """Wait until no notice comes any more."""
        seen = -1
        while self.place.scenario.listens and seen != self.session.notices:
            seen = self.session.notices
            await asyncio.sleep(QUIET)

    async def _try(self, act: Callable[[], Awaitable[Any]]) -> bool:
        """Carry out one act; a failure that the product names is an answer, the next look goes on."""
        try:
            await act()
        except MaemaeError as problem:
            words = f"{type(problem).__name__}: {problem}"
            self.trap.diary.write("stumbled", act=act.__name__, words=words)
            return False
        return True

    def _orders(self) -> tuple[Order, ...]:
        with self.desk.stores.begin() as work:
            return work.orders.of_day(A_DAY)

    def write_books(self) -> None:
        """Leave our book for the verdict."""
        with self.desk.stores.begin() as work:
            ledger = work.ledger.load()
            held = {symbol: ledger.position(symbol).quantity for symbol in ledger.held_symbols}
            books = Books(work.orders.of_day(A_DAY), work.executions.all(), ledger.cash, held)
        (self.place.folder / "books.pickle").write_bytes(pickle.dumps(books))


def _has_control(orders: tuple[Order, ...]) -> bool:
    """Tell whether an order came in after the last one in doubt had left; more would only be late themselves."""
    left = {order.client_order_id: order.submitted_at or order.updated_at for order in orders}
    last = max(left[order.client_order_id] for order in orders if order.is_in_doubt) + SEND_WITHIN
    return any(o.broker_order_id and left[o.client_order_id] >= last for o in orders)


def _age_lease(place: Place) -> None:
    """Make the holder of the account's lease look as if it had not stirred for two minutes."""
    with place.stage.engine.begin() as connection:
        late = (
            "UPDATE leases SET alive_at = alive_at - interval '2 minutes' WHERE account = :account"
        )
        connection.execute(text(late), {"account": place.account})


def _is_absent(orders: tuple[Order, ...]) -> bool:
    return any(o.status is OrderStatus.REJECTED and o.error_code == "ABSENT" for o in orders)


@asynccontextmanager
async def a_life(place: Place, trap: Trap) -> AsyncIterator[Life]:
    """Open a process's desk, and its stream if the run listens."""
    adversary = Adversary(place.scenario, place.hands, place.diary)
    async with a_desk(place, trap, adversary.meet) as desk:
        session = StreamSession(desk)
        reader = asyncio.create_task(_read(session)) if place.scenario.listens else None
        try:
            yield Life(place, trap, desk, session)
        finally:
            if reader is not None:
                await _end(reader)


async def _read(session: StreamSession) -> None:
    async for event in session.desk.stream.events(()):
        await session.take(event)


async def _end(reader: asyncio.Task[None]) -> None:
    reader.cancel()
    with suppress(asyncio.CancelledError, MaemaeError):
        await reader


def load_books(folder: Path) -> Books:
    """Read the book that the last process left."""
    books: Books = pickle.loads((folder / "books.pickle").read_bytes())  # noqa: S301 - our own file
    return books
