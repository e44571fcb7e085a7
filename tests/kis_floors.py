"""This is a desk that trades through the real KIS adapter on the simulator: the scenarios that touch the broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from adapters.kis_sim.control import place_by_hand
from adapters.memory.notifier import MemoryNotifier
from adapters.notifier import Severity
from adapters.stores import Stores
from tasks.desk import Desk
from tasks.fills import NoticeOutcome, apply_notice
from tasks.orders import trade
from tasks.reconciliation import Reconciliation, reconcile
from tests.broker_worlds import KisWorld, a_kis_world
from tests.builders import A_DAY
from tests.desks import PRICES, a_close, a_floor
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.notices import Notice
from trading.orders import Order, Side
from trading.signals import Signal


@dataclass
class KisFloor:
    """A desk on the stores in memory whose broker is KIS, played by the simulator; its book is the truth."""

    desk: Desk
    world: KisWorld
    stores: Stores
    notifier: MemoryNotifier

    async def to(self, clock: str, *, day: date = A_DAY) -> None:
        """Let the market play until HH:MM[:SS]."""
        await self.world.move_to(clock, day=day)

    def faults(self, **faults: Any) -> None:
        """Switch these faults on or off."""
        self.world.set_faults(**faults)

    async def trade(self, *signals: Signal) -> tuple[Order, ...]:
        """Store the signals and trade them."""
        with self.stores.begin() as work:
            for signal in signals:
                work.signals.add(signal)
        return await trade.fn(self.desk, signals)

    async def reconcile(self) -> Reconciliation:
        """Compare the books."""
        return await reconcile.fn(self.desk)

    def hear(self, *notices: Notice) -> tuple[NoticeOutcome, ...]:
        """Apply notices in this order."""
        today = self.desk.today()
        return tuple(apply_notice(self.desk, notice, trading_day=today) for notice in notices)

    def by_hand(self, symbol: Symbol, side: Side, quantity: int, price: int) -> str:
        """Order in HTS, as the owner may; give the broker's number."""
        order = {"symbol": symbol, "side": side.value, "quantity": quantity, "price": price}
        return str(place_by_hand(self.world.simulator.simulation, order)["number"])

    @property
    def orders(self) -> tuple[Order, ...]:
        """Today's orders, oldest first."""
        with self.stores.begin() as work:
            return work.orders.of_day(self.desk.today())

    @property
    def ledger(self) -> Ledger:
        """Our book."""
        with self.stores.begin() as work:
            return work.ledger.load()

    @property
    def truth(self) -> list[Mapping[str, Any]]:
        """The orders that the broker really has, cancels and changes included, oldest first."""
        return list(self.world.true_orders())

    def told(self, severity: Severity) -> tuple[str, ...]:
        """Give the titles of what the owner was told."""
        return tuple(message.title for message in self.notifier.of(severity))

    def assert_books_agree(self) -> None:
        """Compare shares and cash with the broker's, to the won."""
        account, ours = self.world.simulator.book()["accounts"][0], self.ledger
        assert {symbol: ours.position(symbol).quantity for symbol in ours.held_symbols} == {
            each["symbol"]: each["quantity"] for each in account["positions"]
        }
        assert ours.cash == account["cash"]["after_settlement"]


async def store_closes(floor: KisFloor) -> None:
    """Keep yesterday's closes as the simulator's market has them."""
    yesterday = floor.desk.calendar.previous_trading_day(floor.desk.today())
    quotes = [await floor.desk.market_data.quote(symbol) for symbol in PRICES]
    with floor.stores.begin() as work:
        work.bars.upsert([a_close(q.symbol, yesterday, q.base_price) for q in quotes])


@asynccontextmanager
async def a_kis_floor(folder: Path, **settings: Any) -> AsyncIterator[KisFloor]:
    """Open the desk at 08:50 of the day, the opening balance taken over."""
    async with a_kis_world(folder / "kis", **settings) as world:
        plain = a_floor(folder)
        desk = replace(
            plain.desk,
            clock=world.clock,
            access=world.kis.auth,
            broker=world.broker,
            market_data=world.market_data,
            stream=world.kis.stream,
        )
        floor = KisFloor(desk, world, plain.stores, plain.notifier)
        await floor.to("08:50")
        await store_closes(floor)
        await floor.reconcile()
        yield floor
