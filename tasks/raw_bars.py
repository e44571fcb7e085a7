"""This is keeping prices as they were traded beside the adjusted ones, and the factors between the two."""

from __future__ import annotations

from datetime import date, timedelta

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.adjustments import explains, find_factors
from trading.bars import Interval
from trading.errors import BrokerError
from trading.instruments import Symbol

OVERLAP = timedelta(days=14)
"""How much of what is stored is read again each time, so that a re-scaled history is noticed."""


async def keep_raw(desk: Desk, symbol: Symbol) -> str:
    """Store the raw bars since the last one and two weeks before it, and the factors if they changed.

    No decision waits for them: what the broker refuses is given as words, and the next run reads it again.
    """
    start, today, forming = history_start(desk), desk.today(), forming_day(desk)
    with desk.stores.begin() as work:
        stored = work.adjustments.raw(symbol, first=start, last=today)
    first = max(start, stored[-1].trading_day - OVERLAP) if stored else start
    try:
        bars = await desk.market_data.raw_daily_bars(symbol, first=first, last=today)
    except BrokerError as error:
        return str(error)
    with desk.stores.begin() as work:
        work.adjustments.put_raw([bar for bar in bars if bar.trading_day != forming])
        _note_factors(desk, work, symbol)
    return ""


def _note_factors(desk: Desk, work: UnitOfWork, symbol: Symbol) -> None:
    """Keep the factors in force while they explain both series: days that only narrow them are no other version."""
    span = {"first": history_start(desk), "last": desk.today()}
    raw = work.adjustments.raw(symbol, **span)
    adjusted = work.bars.between(symbol, Interval.DAY, **span)
    known = work.adjustments.get(symbol)
    if known is None or not explains(known, raw, adjusted):
        factors = find_factors(raw, adjusted)
        if factors:
            work.adjustments.add(symbol, factors, at=desk.now())


def forming_day(desk: Desk) -> date | None:
    """Give today before its close: the broker shows a bar of it, but it is none yet."""
    session = desk.session()
    if session is None or desk.now() >= session.closes_at:
        return None
    return session.trading_day


def history_start(desk: Desk) -> date:
    """Give the first day that is kept."""
    return desk.today() - timedelta(days=desk.channel.history_days)
