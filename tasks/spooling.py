"""This is living on while the database is away: what was heard waits on disk, and is applied when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

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

_LOG = structlog.get_logger(__name__)


@dataclass
class Spooling:
    """One session's way around the database. Without a spool on the desk only memory keeps anything.

    Notices are booked once however often they are applied, and a print's shares are counted once; so whatever
    a crash leaves behind may be applied again.
    """

    spool: Spool | None
    is_away: bool = False
    """Whether the database did not answer when it was last asked."""
    is_told_full: bool = False
    is_inherited: bool = field(init=False)
    """Whether another process has left something: its prints are counted nowhere else."""
    _prints: list[TradePrint] = field(default_factory=list)

    def __post_init__(self) -> None:
        """See what was left behind."""
        self.is_inherited = self.spool is not None and not self.spool.is_empty

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
        """Apply what waits, if the database was away; give what became of the notices.

        Raises:
            StoreUnavailable: when it is still away; everything waits on.
        """
        if not (self.is_away or self.is_inherited):
            return frozenset()
        await asyncio.to_thread(_knock, desk)  # a host that is gone lets us wait for seconds
        outcomes = self._apply_all(desk, minutes)
        self.is_away = self.is_inherited = self.is_told_full = False
        return outcomes

    def _apply_all(self, desk: Desk, minutes: MinuteKeeper) -> frozenset[NoticeOutcome]:
        self._prints.clear()  # `minutes` has counted them
        if self.spool is None or self.spool.is_empty:
            return frozenset()
        outcomes = [_apply(desk, notice, day) for day, notice in self.spool.notices()]
        counted = _count(desk, self.spool, minutes) if self.is_inherited else 0
        self.spool.clear()
        desk.tell(spool_drained(len(outcomes), counted, desk.wording))
        return frozenset(outcomes)

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


def _count(desk: Desk, spool: Spool, minutes: MinuteKeeper) -> int:
    """Count the prints that a process before us has heard, those of another day into that day's bars."""
    today = minutes.session.trading_day
    keepers = {today: minutes}
    count = 0
    for count, (day, trade) in enumerate(spool.prints(), start=1):  # noqa: B007 - the last one counts
        if day not in keepers:
            keepers[day] = MinuteKeeper(session_of(day))
        keepers[day].add(trade)
    for day, keeper in keepers.items():
        if day != today:
            keeper.store(desk)
    return count
