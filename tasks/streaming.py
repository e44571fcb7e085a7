"""This is the intraday life: notices booked as they come, prints held against stops and targets.

No Prefect task runs here: at hundreds of events a second the orchestrator would be the bottleneck.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from adapters.market_data import Connected, Notice, StreamEvent
from tasks.desk import Desk
from tasks.fills import NoticeOutcome, apply_notice
from tasks.orders import trade
from tasks.reconciliation import reconcile
from tasks.signals import exits_at
from trading.errors import BrokerError
from trading.instruments import Symbol
from trading.signals import Signal
from trading.ticks import TradePrint

PATIENCE_SECONDS = 5.0
"""How long a notice may wait for the reply that makes its order number known."""
PULSE_SECONDS = 0.25
INQUIRY_PAUSE_SECONDS = 3.0
"""At least this long between two reconciliations that notices ask for."""


@dataclass
class Waiting:
    """A notice whose order number nobody knows yet, and until when (loop time) it may wait."""

    notice: Notice
    until: float


@dataclass
class StreamSession:
    """One trading day on the stream. Times of patience are the event loop's, never the market's."""

    desk: Desk
    prices: dict[Symbol, int] = field(default_factory=dict)
    held: frozenset[Symbol] = frozenset()
    waiting: list[Waiting] = field(default_factory=list)
    wants_inquiry: bool = True
    inquired_at: float = 0.0
    prints: int = 0
    notices: int = 0
    exits: int = 0
    inquiries: int = 0

    def figures(self) -> dict[str, object]:
        """Give the day's counts for the story."""
        return {
            "prints": self.prints,
            "notices": self.notices,
            "exits": self.exits,
            "inquiries": self.inquiries,
        }

    async def run(self, *, until: datetime) -> None:
        """Receive until the market's time is `until`; a cancellation ends it in order."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            while self.desk.now() < until:
                await self._pulse()
                await asyncio.sleep(PULSE_SECONDS)
            reader.cancel()
        await self._inquire()

    async def _read(self) -> None:
        async for event in self.desk.stream.events(self.desk.channel.symbols):
            await self.take(event)

    async def take(self, event: StreamEvent) -> None:
        """Work off one event."""
        match event:
            case Notice():
                self.notices += 1
                self._apply(Waiting(event, _loop_time() + PATIENCE_SECONDS))
            case TradePrint():
                self.prints += 1
                await self._watch(event)
            case Connected():
                self.wants_inquiry = True

    def _apply(self, waiting: Waiting) -> None:
        outcome = apply_notice(self.desk, waiting.notice, trading_day=self.desk.today())
        if outcome is NoticeOutcome.UNKNOWN_ORDER and _loop_time() < waiting.until:
            self.waiting.append(waiting)
        elif outcome is NoticeOutcome.APPLIED:
            self._refresh_held()
        else:
            self.wants_inquiry = True

    async def _watch(self, event: TradePrint) -> None:
        self.prices[event.symbol] = event.price
        if event.symbol not in self.held:
            return
        signals = exits_at(self.desk, {event.symbol: event.price})
        if signals:
            await self._leave(signals)

    async def _leave(self, signals: tuple[Signal, ...]) -> None:
        """Place the exits; a symbol is watched again once its order is known to be closed."""
        self.held -= {signal.symbol for signal in signals}
        orders = await trade.fn(self.desk, signals)
        self.exits += sum(order.is_open for order in orders)

    async def _pulse(self) -> None:
        """Try waiting notices again, reconcile if something asked for it."""
        pending, self.waiting = self.waiting, []
        for waiting in pending:
            self._apply(waiting)
        if self.wants_inquiry and _loop_time() - self.inquired_at >= INQUIRY_PAUSE_SECONDS:
            await self._inquire()

    async def _inquire(self) -> None:
        self.inquired_at = _loop_time()
        try:
            await reconcile.fn(self.desk)
        except BrokerError:
            return  # still wanted; the next pulse asks again
        self.inquiries += 1
        self.wants_inquiry = False
        self._refresh_held()

    def _refresh_held(self) -> None:
        with self.desk.stores.begin() as work:
            ledger = work.ledger.load()
        self.held = frozenset(s for s in ledger.held_symbols if ledger.sellable_quantity(s) > 0)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
