"""This is living on while the database is away: what was heard waits on disk, and is applied when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final

import structlog

from adapters.messages import spool_drained, spool_full
from adapters.spools import Heard, Spool
from tasks.desk import Desk
from tasks.fills import NoticeOutcome, apply_notice
from tasks.minute_bars import MinuteKeeper
from trading.errors import MaemaeError, StoreUnavailable
from trading.notices import Notice
from trading.sessions import session_of
from trading.ticks import TradePrint

_LOG: Final = structlog.get_logger(__name__)
PRINTS_AT_ONCE: Final = 200
"""Of those that another process has left, so many are counted before everything else has its turn."""
TURNS: Final = 50
"""So often in one drain: the rest waits for the next, for the session's other duties wait meanwhile."""


@dataclass
class Inheritance:
    """The prints that another process has heard and nobody has counted, each day's for the bars of that day."""

    left: Iterator[tuple[date, TradePrint]]
    counted: int = 0
    others: dict[date, MinuteKeeper] = field(default_factory=dict)

    async def count_on(self, minutes: MinuteKeeper) -> bool:
        """Count as many as there is time for, giving way between; whether none is left."""
        for _ in range(TURNS):
            before = self.counted
            for day, trade in islice(self.left, PRINTS_AT_ONCE):
                self._keeper(day, minutes).add(trade)
                self.counted += 1
            if self.counted == before:
                return True
            await asyncio.sleep(0)
        return False

    def store(self, desk: Desk) -> None:
        """Store the bars of the days that are over; today's are the session's."""
        for keeper in self.others.values():
            keeper.store(desk)

    def _keeper(self, day: date, minutes: MinuteKeeper) -> MinuteKeeper:
        if day == minutes.session.trading_day:
            return minutes
        if day not in self.others:
            self.others[day] = MinuteKeeper(session_of(day))
        return self.others[day]


@dataclass
class Spooling:
    """One session's way around the database. Without a spool on the desk only memory keeps anything.

    Notices are booked once however often they are applied, and a print's shares are counted once; so whatever
    a crash leaves behind may be applied again. What comes while notices are booked waits behind them.
    """

    spool: Spool | None
    is_away: bool = False
    """Whether the database did not answer when it was last asked, or notices of before are not booked yet."""
    is_told_full: bool = False
    _inheritance: Inheritance | None = None
    _booked: int = 0
    _prints: list[TradePrint] = field(default_factory=list)

    def __post_init__(self) -> None:
        """See what was left behind."""
        if self.spool is not None and not self.spool.is_empty:
            self.is_away, self._inheritance = True, Inheritance(self.spool.prints())

    def hear(self, trade: TradePrint) -> None:
        """Note a print for the next flush, while the database is away."""
        if self.is_away and self.spool is not None:
            self._prints.append(trade)

    def keep(self, desk: Desk, notice: Notice) -> None:
        """Put a notice on disk at once, with the prints before it.

        Raises:
            DiskFull: when the disk does not take it.
        """
        self.is_away = True
        self._keep(desk, [*self._taken(), notice])

    def flush(self, desk: Desk) -> None:
        """Put on disk what came since.

        Raises:
            DiskFull: when the disk does not take it.
        """
        if self._prints:
            self._keep(desk, self._taken())

    async def drain(self, desk: Desk, minutes: MinuteKeeper) -> frozenset[NoticeOutcome]:
        """Apply what waits, if the database was away, giving way all the time; give what became of the notices.

        Of a great many prints that were inherited it counts a part, and goes on when it is called again.

        Raises:
            StoreUnavailable: when it is still away; everything waits on.
        """
        if not (self.is_away or self._inheritance):
            return frozenset()
        outcomes = await self._book(desk) if self.is_away else frozenset()
        if self._inheritance:
            minutes.is_behind = not await self._inheritance.count_on(minutes)
            if minutes.is_behind:
                return outcomes
            self._inheritance.store(desk)
        if not self.is_away:
            self._let_go(desk)
        return outcomes

    async def _book(self, desk: Desk) -> frozenset[NoticeOutcome]:
        """Apply the notices in their order, those too that come meanwhile."""
        await asyncio.to_thread(_knock, desk)  # a host that is gone lets us wait for seconds
        outcomes = []
        for day, notice in self.spool.notices() if self.spool else ():
            outcomes.append(_apply(desk, notice, day))
            await asyncio.sleep(0)
        # Nobody had a turn since the end of the file was seen: nothing has come behind it.
        self._prints.clear()  # the session has counted them
        self.is_away = self.is_told_full = False
        self._booked = len(outcomes)
        return frozenset(outcomes)

    def _let_go(self, desk: Desk) -> None:
        """Forget what is booked and counted, and tell how much it was."""
        if self.spool is None or self.spool.is_empty:
            return
        self.spool.clear()
        counted = self._inheritance.counted if self._inheritance else 0
        self._inheritance = None
        desk.tell(spool_drained(self._booked, counted, desk.wording))

    def _taken(self) -> list[TradePrint]:
        prints, self._prints = self._prints, []
        return prints

    def _keep(self, desk: Desk, heard: Sequence[Heard]) -> None:
        if self.spool is None:
            return
        refused = self.spool.keep(heard, trading_day=desk.today())
        if refused and not self.is_told_full:
            self.is_told_full = True
            desk.tell(spool_full(desk.wording))


def _knock(desk: Desk) -> None:
    with desk.stores.begin():
        pass


def _apply(desk: Desk, notice: Notice, trading_day: date) -> NoticeOutcome:
    """Apply one notice; what cannot be true of it, an inquiry decides."""
    try:
        return apply_notice(desk, notice, trading_day=trading_day)
    except StoreUnavailable:
        raise
    except MaemaeError as problem:
        _LOG.warning("a notice from the spool was not applied", words=str(problem))
        return NoticeOutcome.NEEDS_INQUIRY
