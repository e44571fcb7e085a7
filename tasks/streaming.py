"""This is the intraday life: notices booked as they come, prints held against stops and targets.

No Prefect task runs here: at hundreds of events a second the orchestrator would be the bottleneck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

import structlog

from adapters.market_data import Connected, Notice, StreamEvent, Unreadable
from adapters.messages import stream_blind, stream_polls, stream_stumbled, stream_unreadable
from adapters.notifier import Message
from tasks.desk import Desk
from tasks.disks import stop_for_full_disk
from tasks.doubts import has_absent, has_doubt
from tasks.fills import NoticeOutcome, apply_notice
from tasks.garbage import no_collections
from tasks.interests import interests
from tasks.intraday import decide
from tasks.minute_bars import MinuteKeeper
from tasks.notices import apply_waiting
from tasks.orders import trade
from tasks.prices import Asked, asked_ahead
from tasks.processors import awake
from tasks.reconciliation import reconcile
from tasks.signals import Guarded, exits_at, guarded_positions
from tasks.spooling import Spooling
from tasks.trips import Hearing, check_trips
from tasks.versions import follow
from trading.bars import Bar
from trading.doubts import PAUSES
from trading.errors import DiskFull, MaemaeError, StoreUnavailable
from trading.instruments import Symbol
from trading.orders import Side
from trading.sessions import session_of
from trading.signals import Direction, Signal
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
MOST_TOLD = 20
"""In so many words the owner hears of one problem in a day."""
LAST_ORDER_SECONDS = 6.0
"""How long an end waits for the order that is on its way."""


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
    told: dict[str, set[str]] = field(default_factory=dict)
    minutes: MinuteKeeper = field(init=False)
    spooling: Spooling = field(init=False)
    watched: tuple[Symbol, ...] = ()
    is_canceled: bool = False
    is_ending: bool = False
    ordering: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while exits are placed, by prints or polled prices: one after the other, and never cut off."""
    polled: dict[Symbol, float] = field(default_factory=dict)
    prints: int = 0
    polls: int = 0
    unreadable: int = 0
    notices: int = 0
    decisions: int = 0
    entries: int = 0
    exits: int = 0
    inquiries: int = 0

    def __post_init__(self) -> None:
        """Begin the day's bars, and see what a process before us left on disk."""
        self.minutes = MinuteKeeper(session_of(self.desk.today()))
        self.spooling = Spooling(self.desk.spool)

    def figures(self) -> dict[str, object]:
        """Give the day's counts for the story."""
        return {
            "prints": self.prints,
            "polls": self.polls,
            "bars": self.minutes.stored,
            "differences": len(self.minutes.differences),
            "unreadable": self.unreadable,
            "notices": self.notices,
            "decisions": self.decisions,
            "entries": self.entries,
            "exits": self.exits,
            "inquiries": self.inquiries,
        }

    def end(self) -> None:
        """End before the time, in order: what is being done is finished, nothing new is begun."""
        self.is_canceled = True

    async def run(self, *, until: datetime) -> None:
        """Receive until the market's time is `until` or `end` is called; a cancellation cuts off no order."""
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._read()), group.create_task(self._run_errands())]
            try:
                while self.desk.now() < until and not self.is_canceled:
                    await self.pulse()
                    await asyncio.sleep(PULSE_SECONDS)
            finally:
                await asyncio.shield(self._let_go(beside))
        with self._stumbling():
            self.minutes.store(self.desk)
            await self._inquire()

    async def _let_go(self, beside: Sequence[asyncio.Task[None]]) -> None:
        """End the tasks beside, not in the middle of an order: in doubt it would be, though nothing was wrong."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ORDER_SECONDS), self.ordering:
                self.is_ending = True
        for task in beside:
            task.cancel()

    async def _read(self) -> None:
        """Take event after event."""
        self.watched = interests(self.desk)
        async with aclosing(self.desk.stream.events(self.watched)) as events:
            async for event in events:
                await self.take(event)

    async def _run_errands(self) -> None:
        """Read what no print tells, one thing at a time."""
        while True:
            await asyncio.sleep(self.desk.poll_seconds)
            await self.run_errand()

    async def run_errand(self) -> None:
        """Mend a bar, complete the day, or ask for the price of what the stream has no room for."""
        with self._stumbling():
            if await self.minutes.follow_up(self.desk, at=_loop_time()):
                return
            symbol = self._unheard()
            if symbol is not None:
                await self._poll(symbol)

    def _unheard(self) -> Symbol | None:
        """Give the symbol that has waited longest for its price, while prices are made."""
        session = self.minutes.session
        if not session.opens_at <= self.desk.now() < session.closes_at:
            return None
        heard = self.desk.stream.heard
        unheard = [symbol for symbol in self.watched if symbol not in heard]
        return min(unheard, key=lambda symbol: self.polled.get(symbol, 0.0), default=None)

    async def _poll(self, symbol: Symbol) -> None:
        self.polled[symbol] = _loop_time()
        quote = await self.desk.market_data.quote(symbol)
        self.polls += 1
        if quote.last and quote.volume:
            self.prices[symbol] = quote.last
            await self._watch(symbol, quote.last)

    async def take(self, event: StreamEvent) -> None:
        """Work off one event."""
        with self._stumbling():
            match event:
                case Notice():
                    self.notices += 1
                    self._apply(event)
                case TradePrint():
                    self.prints += 1
                    self.spooling.hear(event)
                    self.hearing = Hearing(event.at, _loop_time())
                    if self.minutes.add(event):
                        self.prices[event.symbol] = event.price
                        await self._watch(event.symbol, event.price)
                case Connected():
                    self.wants_inquiry = True
                    self._tell_polled()
                case Unreadable():
                    self.unreadable += 1
                    self._tell_once(stream_unreadable(event.reason, self.desk.wording))

    @contextmanager
    def _stumbling(self) -> Iterator[None]:
        """Go on after broker, database or one odd event failed: the next inquiry asks for all of it again.

        The owner is told once a day for each problem; a defect of ours is no such problem and ends the run.
        """
        try:
            yield
        except MaemaeError as problem:
            self.wants_inquiry = True
            self.spooling.is_away |= isinstance(problem, StoreUnavailable)
            if isinstance(problem, DiskFull):
                stop_for_full_disk(self.desk, str(problem))
            words = f"{type(problem).__name__}: {problem}"
            self._tell_once(stream_stumbled(words, self.desk.wording))

    def _tell_once(self, message: Message) -> None:
        """Tell the owner what was not told in the same words today, nor one problem in ever new ones."""
        told = self.told.setdefault(message.title, set())
        if message.text not in told and len(told) < MOST_TOLD:
            told.add(message.text)
            self.desk.tell(message)

    def _tell_polled(self) -> None:
        """Say in one sentence what the broker's cap leaves to be asked for."""
        polled = len(set(self.watched) - self.desk.stream.heard)
        if polled and self.desk.stream.heard:
            seconds = ceil(polled * self.desk.poll_seconds)
            self._tell_once(stream_polls(len(self.watched), polled, seconds, self.desk.wording))

    def _apply(self, notice: Notice) -> None:
        if self.spooling.is_away:
            self.spooling.keep(self.desk, notice)
            return
        try:
            outcome = apply_notice(self.desk, notice, trading_day=self.desk.today())
        except StoreUnavailable:
            self.spooling.keep(self.desk, notice)
            raise
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

    async def _watch(self, symbol: Symbol, price: int) -> None:
        """Look at one price: plain arithmetic, until a stop or a target is reached."""
        watched = self.guarded.get(symbol, ())
        if not watched:
            return
        watched = self.guarded[symbol] = tuple(each.after(price) for each in watched)
        if self.spooling.is_away or not any(each.is_reached(price) for each in watched):
            return  # no order leaves uncommitted
        desk = self.desk  # a newer version may be taken over before the order leaves
        with no_collections(), awake():
            async with asked_ahead(desk, symbol) as asked:
                signals = await asyncio.to_thread(exits_at, desk, {symbol: price}, watched)
                if signals:
                    await self._trade(desk, signals, asked)
                else:
                    self._refresh()  # another process has sold it

    async def _decide(self, closed: Sequence[Bar]) -> None:
        """Let the strategies of minute bars decide on the minute that is over, and trade what they want."""
        desk = self.desk
        decided = decide(desk, closed)
        self.decisions += decided.looked
        if decided.blind:
            self._tell_once(stream_blind(", ".join(decided.blind), desk.wording))
        if decided.signals:
            await self._trade(desk, decided.signals, None)

    async def _trade(self, desk: Desk, signals: Sequence[Signal], asked: Asked | None) -> None:
        """Place the orders. What exits leave is watched again after the next fill, inquiry or refresh."""
        async with self.ordering:
            if not self.is_ending:
                await self._place(desk, signals, asked)

    async def _place(self, desk: Desk, signals: Sequence[Signal], asked: Asked | None) -> None:
        for signal in signals:
            others = (
                each
                for each in self.guarded.get(signal.symbol, ())
                if each.settings.id != signal.strategy_id or signal.direction is Direction.ENTRY
            )
            self.guarded[signal.symbol] = tuple(others)
        orders = await trade.fn(desk, signals, asked)
        sides = [order.side for order in orders if order.is_open]
        self.entries += sides.count(Side.BUY)
        self.exits += sides.count(Side.SELL)
        self.wants_inquiry |= any(order.is_in_doubt for order in orders)

    async def pulse(self) -> None:
        """Try waiting notices again, look at doubts, reconcile if something asked for it."""
        with self._stumbling():
            await self._come_back()
            self._apply_waiting()
            self._look_for_doubt()
            self._take_over()
            await self._decide(self.minutes.store(self.desk))
            if self.wants_inquiry and _loop_time() - self.inquired_at >= INQUIRY_PAUSE_SECONDS:
                await self._inquire()
            elif _loop_time() - self.refreshed_at >= REFRESH_SECONDS:
                self._refresh()
            if _loop_time() - self.tripped_at >= TRIPS_SECONDS:
                self._check_trips()

    async def _come_back(self) -> None:
        """Book what waits on disk once the database is back, and look again at what was reached meanwhile."""
        was_away = self.spooling.is_away
        try:
            self._follow(await self.spooling.drain(self.desk, self.minutes))
        finally:  # a full disk keeps nothing waiting that the database takes
            self.spooling.flush(self.desk)
        if was_away:  # the book explains old notices before they stop anything
            self.wants_inquiry, self.inquired_at = True, 0.0
            self._refresh()  # an exit may have come to nothing when the database went
        for symbol, price in tuple(self.prices.items()) if was_away else ():
            await self._watch(symbol, price)

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
        if (newer := follow(self.desk)) is not self.desk:
            self.desk = newer
            _LOG.info("settings taken over", version=newer.version)
            self._refresh()

    async def _inquire(self) -> None:
        """Reconcile; what asks for an inquiry while this one is under way gets another."""
        self.wants_inquiry = False
        try:
            await reconcile.fn(self.desk)
        finally:  # the pause is for everything else, however long this took
            self.inquired_at = _loop_time()
        self.inquiries += 1
        self._refresh()

    def _refresh(self) -> None:
        """See what the strategies hold now, and which prices matter most."""
        self.refreshed_at = _loop_time()
        self.watched = interests(self.desk)
        self.desk.stream.watch(self.watched)
        held: dict[Symbol, list[Guarded]] = {}
        for each in guarded_positions(self.desk):
            symbol = each.position.symbol
            held.setdefault(symbol, []).append(each.recalling(self.guarded.get(symbol, ())))
        self.guarded = {symbol: tuple(each) for symbol, each in held.items()}


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
