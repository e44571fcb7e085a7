"""This is the whole simulation: market, accounts and time, and the player that moves them on together, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heappop, heappush, merge
from itertools import count
from typing import Final, Protocol

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.clock import MarketClock
from adapters.kis_sim.exchange import Exchange
from adapters.kis_sim.faults import Fault, Faults
from adapters.kis_sim.hours import Timetable, kst, midnight
from adapters.kis_sim.market import Market
from adapters.kis_sim.orders import Notice
from adapters.kis_sim.reservations import Reservations
from adapters.kis_sim.tapes import Print
from trading.sessions import Phase, session_of

_CHUNK: Final = timedelta(minutes=1)
_OPEN_CODE: Final = "112"


class Audience(Protocol):
    """Who watches the market: the sockets."""

    def watched(self) -> set[str]:
        """Return the symbols that somebody watches."""
        ...

    def show_print(self, symbol: str, each: Print) -> None:
        """Pass a trade on."""
        ...

    def show_operation(self, symbol: str, code: str, at: datetime) -> None:
        """Pass a change of the market's operation on; every symbol for ""."""
        ...

    def notify(self, notice: Notice) -> None:
        """Tell the account's holder."""
        ...

    async def keep_up(self) -> None:
        """Wait until it has nearly taken in what was shown."""
        ...


class Deaf:
    """An audience that is not there."""

    def watched(self) -> set[str]:
        """Watch nothing."""
        return set()

    def show_print(self, symbol: str, each: Print) -> None:
        """Ignore it."""

    def show_operation(self, symbol: str, code: str, at: datetime) -> None:
        """Ignore it."""

    def notify(self, notice: Notice) -> None:
        """Ignore it."""

    async def keep_up(self) -> None:
        """Be ready at once."""


@dataclass(frozen=True, slots=True)
class World:
    """The parts that a simulation plays with."""

    clock: MarketClock
    timetable: Timetable
    market: Market
    faults: Faults
    accounts: tuple[Account, ...]
    exchange: Exchange
    real_time: Callable[[], float]


class Simulation:
    """Plays the world up to the clock's time: prints, matching, sessions, day rolls, one after the other."""

    def __init__(self, world: World) -> None:
        self.clock = world.clock
        self.timetable = world.timetable
        self.market = world.market
        self.faults = world.faults
        self.accounts = world.accounts
        self.exchange = world.exchange
        self.real_time = world.real_time
        self.reservations = Reservations(world.exchange)
        self.audience: Audience = Deaf()
        self.calls = 0
        self.played_to = self.clock.now()
        self._playing = asyncio.Lock()
        self._halted: set[str] = set()
        self._waiting: set[str] = set()
        self._planned: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self.exchange.begin_day(self.today())
        self._plan_day(self.today())

    def now(self) -> datetime:
        """Return the market time up to which everything has been played."""
        return self.played_to

    def today(self) -> date:
        """Return the date in Seoul."""
        return kst(self.played_to).date()

    def seconds_since(self, real: float) -> float:
        """Return the real seconds since a moment of real time."""
        return self.real_time() - real

    def catch_up(self) -> datetime:
        """Play up to the clock's time, unless that is being done; return the time reached."""
        if not self._playing.locked():
            target = self.clock.now()
            while self.played_to < target:
                self._play_chunk(target)
        return self.played_to

    async def advance_to(self, target: datetime) -> None:
        """Play up to `target` and set the clock there; others get a turn on the way."""
        async with self._playing:
            while self.played_to < target:
                self._play_chunk(target)
                self.clock.move_to(self.played_to)
                await asyncio.sleep(0)
                await self.audience.keep_up()

    def plan(self, at: datetime, act: Callable[[], None]) -> None:
        """Do something when the market reaches `at`."""
        heappush(self._planned, (at, next(self._order), act))

    def faults_changed(self) -> None:
        """Announce halts and interruptions that began or ended, and match what waited for the end of one."""
        symbols = self.market.securities.symbols()
        halted = {each for each in symbols if self.faults.is_halted(each)}
        waiting = {each for each in symbols if self.faults.is_interrupted(each, self.played_to)}
        ended = self._waiting - waiting
        begun = waiting - self._waiting
        for symbol in sorted((halted ^ self._halted) | begun | ended):
            self.audience.show_operation(symbol, _OPEN_CODE, self.played_to)
        self._halted, self._waiting = halted, waiting
        if begun:
            self.plan(self.faults.interruption_ends_at(), self.faults_changed)
        for symbol in sorted(ended & self.exchange.awaited()):
            self.exchange.end_interruption(symbol, self.played_to)
        self.deliver()

    def deliver(self) -> None:
        """Send the notices that have gathered; a fault may send them last first."""
        notices, self.exchange.notices[:] = self.exchange.notices[:], []
        if len(notices) > 1 and self.faults.strike(Fault, "reordered_notices"):
            notices.reverse()
        for notice in notices:
            self.audience.notify(notice)

    def _play_chunk(self, target: datetime) -> None:
        start = self.played_to
        symbols = self.audience.watched() | self.exchange.awaited()
        end = (
            min(target, start + _CHUNK) if symbols else target
        )  # nobody waits: on to the next event
        if self._planned:
            end = min(end, max(start, self._planned[0][0]))
        tapes = [
            [(each.at, symbol, each) for each in self.market.prints(symbol, start, end)]
            for symbol in sorted(symbols)
        ]
        for at, symbol, each in merge(*tapes, key=lambda item: item[:2]):
            self.played_to = at
            self._play_print(symbol, each)
        self.played_to = end
        while self._planned and self._planned[0][0] <= end:
            heappop(self._planned)[2]()
        self.deliver()

    def _play_print(self, symbol: str, each: Print) -> None:
        self.audience.show_print(symbol, each)
        self.exchange.meet(symbol, each)

    def _plan_day(self, day: date) -> None:
        """Plan what the exchange does on `day`, and the next day's beginning."""
        tomorrow = day + timedelta(days=1)
        self.plan(midnight(tomorrow), lambda: self._begin_day(tomorrow))
        if not self.timetable.is_trading_day(day):
            return
        for at, act in self._agenda(day):
            if at > self.played_to:
                self.plan(at, act)

    def _begin_day(self, day: date) -> None:
        self.exchange.end_day()  # after-market orders live until now
        self.exchange.begin_day(day)
        self._plan_day(day)

    def _agenda(self, day: date) -> list[tuple[datetime, Callable[[], None]]]:
        hours = self.timetable.hours(day)
        if self.timetable.is_always_open:
            return [(hours.closes_at, self.exchange.end_day)]
        session = session_of(day)
        off_hours = session.window(Phase.POST_MARKET_CLOSE_PRICE)
        opening = session.window(Phase.OPENING_AUCTION)
        return [
            (opening.starts_at, lambda: self._announce("110")),
            (opening.starts_at, lambda: self.reservations.send(self.played_to)),
            (hours.opens_at, lambda: self._announce("112")),
            (hours.closing_auction_at, lambda: self._announce("121")),
            (hours.closes_at, self.exchange.end_day),
            (hours.closes_at, lambda: self._announce("129")),
            (off_hours.starts_at, lambda: self._announce("140")),
            (off_hours.ends_at, lambda: self._announce("149")),
        ]

    def _announce(self, code: str) -> None:
        self.audience.show_operation("", code, self.played_to)
