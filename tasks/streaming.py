"""This is the intraday life: notices booked as they come, prints held against stops and targets.

No Prefect task runs here: at hundreds of events a second the orchestrator would be the bottleneck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from adapters.market_data import Connected, Notice, StreamEvent
from adapters.messages import stream_stumbled
from tasks.desk import Desk
from tasks.doubts import has_absent, has_doubt
from tasks.fills import NoticeOutcome, apply_notice
from tasks.notices import apply_waiting
from tasks.orders import trade
from tasks.reconciliation import reconcile
from tasks.signals import Guarded, exits_at, guarded_positions
from tasks.trips import Hearing, check_trips
from tasks.versions import follow
from trading.doubts import PAUSES
from trading.errors import MaemaeError
from trading.instruments import Symbol
from trading.signals import Signal
from trading.ticks import TradePrint

_LOG: Final = structlog.get_logger(__name__)
PATIENCE_SECONDS = 5.0
"""How long a notice may wait for the reply that makes its order number known."""
PULSE_SECONDS = 0.25
INQUIRY_PAUSE_SECONDS = 3.0
"""At least this long between two reconciliations that notices ask for."""
REFRESH_SECONDS = 30.0
"""How long an exit that came to nothing waits for its next attempt, and what others booked to be seen."""
SWEEP_SECONDS = 60.0
"""Between two looks for the rows of orders that were declared absent."""
TRIPS_SECONDS = 5.0
"""Between two looks at what trips the kill switch."""
FOLLOW_SECONDS = 10.0
"""How long a newer version of the settings may wait to be seen."""


@dataclass
class StreamSession:
    """One trading day on the stream. Times of patience are the event loop's, never the market's."""

    desk: Desk
    guarded: dict[Symbol, tuple[Guarded, ...]] = field(default_factory=dict)
    unknown_until: float | None = None
    doubt_looks: int = 0
    doubt_due: float = 0.0
    sweep_due: float = 0.0
    wants_inquiry: bool = True
    inquired_at: float = 0.0
    refreshed_at: float = 0.0
    tripped_at: float = 0.0
    hearing: Hearing | None = None
    prices: dict[Symbol, int] = field(default_factory=dict)
    followed_at: float = 0.0
    told: set[str] = field(default_factory=set)
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
                await self.pulse()
                await asyncio.sleep(PULSE_SECONDS)
            reader.cancel()
        with self._stumbling():
            await self._inquire()

    async def _read(self) -> None:
        """Take event after event; a watch list that changes is subscribed anew between two of them."""
        symbols = None
        while symbols != self.desk.channel.symbols:
            symbols = self.desk.channel.symbols
            async with aclosing(self.desk.stream.events(symbols)) as events:
                async for event in events:
                    await self.take(event)
                    if symbols != self.desk.channel.symbols:
                        break

    async def take(self, event: StreamEvent) -> None:
        """Work off one event."""
        with self._stumbling():
            match event:
                case Notice():
                    self.notices += 1
                    self._apply(event)
                case TradePrint():
                    self.prints += 1
                    self.prices[event.symbol] = event.price
                    self.hearing = Hearing(event.at, _loop_time())
                    await self._watch(event)
                case Connected():
                    self.wants_inquiry = True

    @contextmanager
    def _stumbling(self) -> Iterator[None]:
        """Go on after broker, database or one odd event failed: the next inquiry asks for all of it again.

        The owner is told once a day for each problem; a defect of ours is no such problem and ends the run.
        """
        try:
            yield
        except MaemaeError as problem:
            self.wants_inquiry = True
            words = f"{type(problem).__name__}: {problem}"
            if words not in self.told:
                self.told.add(words)
                self.desk.tell(stream_stumbled(words, self.desk.wording))

    def _apply(self, notice: Notice) -> None:
        outcome = apply_notice(self.desk, notice, trading_day=self.desk.today())
        if outcome is NoticeOutcome.UNKNOWN_ORDER:
            self.unknown_until = self.unknown_until or _loop_time() + PATIENCE_SECONDS
            self.doubt_due = 0.0  # it may be the order in doubt: look at once
        self._follow({outcome})

    def _follow(self, outcomes: Collection[NoticeOutcome]) -> None:
        self.wants_inquiry |= NoticeOutcome.NEEDS_INQUIRY in outcomes
        if NoticeOutcome.APPLIED in outcomes:
            self._refresh()

    def _apply_waiting(self) -> None:
        """Try again the notices whose number nobody knew; after some patience only the rows can tell."""
        if self.unknown_until is None:
            return
        outcomes = apply_waiting(self.desk, trading_day=self.desk.today())
        self._follow(outcomes)
        if NoticeOutcome.UNKNOWN_ORDER not in outcomes:
            self.unknown_until = None
        elif _loop_time() >= self.unknown_until:
            self.unknown_until = None
            self.wants_inquiry = True

    def _look_for_doubt(self) -> None:
        """Ask for an inquiry, with growing pauses, while an order is in doubt, and every minute after an absent one."""
        if _loop_time() >= self.sweep_due:
            self.sweep_due = _loop_time() + SWEEP_SECONDS
            self.wants_inquiry |= has_absent(self.desk)
        if _loop_time() < self.doubt_due:
            return
        if not has_doubt(self.desk):
            self.doubt_looks = 0
            self.doubt_due = _loop_time() + PAUSES[0]
            return
        self.doubt_looks += 1
        self.doubt_due = _loop_time() + PAUSES[min(self.doubt_looks, len(PAUSES) - 1)]
        self.wants_inquiry = True
        self.inquired_at = 0.0  # no pause: nobody may trade that symbol until it is settled

    async def _watch(self, event: TradePrint) -> None:
        """Look at one print: plain arithmetic, until a stop or a target is reached."""
        if not any(each.is_reached(event.price) for each in self.guarded.get(event.symbol, ())):
            return
        signals = exits_at(self.desk, {event.symbol: event.price})
        if signals:
            await self._leave(signals)
        else:
            self._refresh()  # another process has sold it

    async def _leave(self, signals: tuple[Signal, ...]) -> None:
        """Place the exits. What they leave is watched again after the next fill, inquiry or refresh."""
        for signal in signals:
            others = (
                each
                for each in self.guarded[signal.symbol]
                if each.settings.id != signal.strategy_id
            )
            self.guarded[signal.symbol] = tuple(others)
        orders = await trade.fn(self.desk, signals)
        self.exits += sum(order.is_open for order in orders)
        self.wants_inquiry |= any(order.is_in_doubt for order in orders)

    async def pulse(self) -> None:
        """Try waiting notices again, look at doubts, reconcile if something asked for it."""
        with self._stumbling():
            self._apply_waiting()
            self._look_for_doubt()
            self._take_over()
            if self.wants_inquiry and _loop_time() - self.inquired_at >= INQUIRY_PAUSE_SECONDS:
                await self._inquire()
            elif _loop_time() - self.refreshed_at >= REFRESH_SECONDS:
                self._refresh()
            if _loop_time() - self.tripped_at >= TRIPS_SECONDS:
                self._check_trips()

    def _check_trips(self) -> None:
        """See whether something stops trading, with the prices that the stream has brought."""
        self.tripped_at = _loop_time()
        self.hearing = self.hearing or Hearing(self.desk.now(), _loop_time())
        silence = self.hearing.silence(self.desk, _loop_time())
        check_trips(self.desk, prices=self.prices, silence=silence)

    def _take_over(self) -> None:
        """Take over a newer version of the settings; what is being decided goes on with the desk that it began with."""
        if _loop_time() - self.followed_at < FOLLOW_SECONDS:
            return
        self.followed_at = _loop_time()
        newer = follow(self.desk)
        if newer is not self.desk:
            self.desk = newer
            _LOG.info("settings taken over", version=newer.version)
            self._refresh()

    async def _inquire(self) -> None:
        """Reconcile; what asks for an inquiry while this one is under way gets another."""
        self.inquired_at = _loop_time()
        self.wants_inquiry = False
        await reconcile.fn(self.desk)
        self.inquiries += 1
        self._refresh()

    def _refresh(self) -> None:
        """See what the strategies hold now."""
        self.refreshed_at = _loop_time()
        held: dict[Symbol, list[Guarded]] = {}
        for each in guarded_positions(self.desk):
            held.setdefault(each.position.symbol, []).append(each)
        self.guarded = {symbol: tuple(each) for symbol, each in held.items()}


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
