"""This is keeping the day's minute bars: made of prints, mended from the broker's history, held against it at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.events import market_bar
from adapters.stores import UnitOfWork
from adapters.wording import Wording
from tasks.desk import Desk
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.minute_bars import LATENESS, SETTLES, SOURCE, Arrival, Difference, MinuteBars
from trading.sessions import KST, Session
from trading.ticks import TradePrint

HISTORY_AFTER: Final = timedelta(seconds=65) + LATENESS
"""How long after a print its minute is surely in the broker's history, and to be taken from there."""
PATIENCE_SECONDS: Final = 60.0
"""Between two attempts to mend the same symbol."""


@dataclass
class MinuteKeeper:
    """The bars of one session: counted as prints come, stored when their minute is over."""

    session: Session
    stored: int = 0
    mended: int = 0
    is_behind: bool = False
    """Whether older prints are still being counted: no bar is whole before they are."""
    differences: list[Difference] = field(default_factory=list)
    bars: MinuteBars = field(init=False)
    _unstored: dict[tuple[Symbol, datetime], Bar] = field(default_factory=dict)
    """Bars that the database has not taken yet."""
    _tried: dict[Symbol, float] = field(default_factory=dict)
    _completed: set[Symbol] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin without a print."""
        self.bars = MinuteBars(self.session)

    def add(self, trade: TradePrint) -> bool:
        """Count a print; whether its price is the market's now: not late, nor expected of an auction."""
        arrival = self.bars.add(trade)
        is_expected = arrival is Arrival.REPEATED and trade.is_auction
        return arrival is not Arrival.LATE and not is_expected

    def store(self, desk: Desk) -> tuple[Bar, ...]:
        """Store what is over, in one transaction, and give it; nothing happens between two minutes."""
        closed = () if self.is_behind else self.bars.closed(desk.now() - SETTLES)
        self._keep(desk, closed)
        return closed

    async def follow_up(self, desk: Desk, *, at: float) -> bool:
        """Read one history that is wanted now, if any: to mend a hole, after the close to complete the day.

        `at` is the event loop's time. True when something was read.
        """
        for symbol, (since, until) in self.bars.holes().items():
            waited = at - self._tried.get(symbol, -PATIENCE_SECONDS) >= PATIENCE_SECONDS
            if waited and desk.now() >= until + HISTORY_AFTER:
                self._tried[symbol] = at
                await self._mend(desk, symbol, since)
                return True
        if desk.now() < self.session.closes_at + HISTORY_AFTER:
            return False
        for symbol in self.bars.symbols:
            if symbol not in self._completed:
                self._completed.add(symbol)
                await self._mend(desk, symbol, self.session.opens_at)
                return True
        return False

    def rows(self, wording: Wording) -> list[Mapping[str, str]]:
        """Tell where the broker's bars differ from ours."""
        return [
            {
                wording.text("field.symbol"): each.symbol,
                wording.text("field.time"): f"{each.at.astimezone(KST):%H:%M}",
                wording.text("field.figure"): wording.term("bar_figure", each.field),
                wording.text("field.ours"): f"{each.ours:,}",
                wording.text("field.theirs"): f"{each.theirs:,}",
            }
            for each in self.differences
        ]

    async def _mend(self, desk: Desk, symbol: Symbol, since: datetime) -> None:
        day, at = self.session.trading_day, desk.now()
        history = await desk.market_data.minute_bars(symbol, trading_day=day, since=since)
        self.differences += self.bars.mend(symbol, history, at=at)
        self.mended += 1
        self._keep(desk, history)

    def _keep(self, desk: Desk, bars: Sequence[Bar]) -> None:
        """Store these and what the database has not taken before, and tell what is new where events go anywhere."""
        self._unstored |= {(bar.symbol, bar.at): bar for bar in bars}
        if not self._unstored:
            return
        waiting = tuple(self._unstored.values())
        with desk.stores.begin() as work:
            known = self._known(work, waiting) if desk.is_relayed else frozenset()
            work.bars.upsert(waiting)
            for bar in waiting if desk.is_relayed else ():
                if bar not in known:
                    work.outbox.add(market_bar(bar, at=desk.now()))
        self.stored += len(waiting)
        self._unstored.clear()

    def _known(self, work: UnitOfWork, bars: Sequence[Bar]) -> frozenset[Bar]:
        """Give the stored bars of the symbols that a history is about: most of it was told when it was made."""
        day = self.session.trading_day
        mended = {bar.symbol for bar in bars if bar.source != SOURCE}
        return frozenset(
            bar
            for symbol in mended
            for bar in work.bars.between(symbol, Interval.MINUTE, first=day, last=day)
        )
