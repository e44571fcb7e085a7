"""This is minute bars drawn from daily ones, as the simulator draws them: the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from adapters.kis_sim.histories import DayBar
from adapters.kis_sim.hours import Hours
from adapters.kis_sim.tapes import Print, draw_tape
from trading.bars import Bar, Interval
from trading.krx import tick_size
from trading.sessions import Session, session_of

SPACING: Final = 15
"""Seconds between two drawn trades."""
_MINUTE: Final = timedelta(minutes=1)


def drawn_minutes(days: Sequence[Bar]) -> tuple[Bar, ...]:
    """Draw the minutes of daily bars, oldest first; each is named after its end, and has the day's prices in all."""
    return tuple(bar for day in days for bar in _minutes(day))


def _minutes(day: Bar) -> Iterator[Bar]:
    session = session_of(day.trading_day)
    hours = Hours(session.opens_at, session.closing_auction_at, session.closes_at)
    bar = DayBar(day.trading_day, day.open, day.high, day.low, day.close, day.volume)
    random = Random(f"{day.symbol} {day.trading_day}")  # noqa: S311 - the same prices every time
    forming: dict[datetime, _Minute] = {}
    tape = draw_tape(
        bar, hours, lambda price: tick_size(price, on=day.trading_day), random, spacing=SPACING
    )
    for each in tape.prints:
        forming.setdefault(_end(each, session), _Minute()).add(each)
    return (minute.bar(day, at) for at, minute in forming.items())


def _end(each: Print, session: Session) -> datetime:
    """Give the end of a print's minute; the closing auction's is the close itself."""
    if each.at >= session.closes_at:
        return session.closes_at
    return each.at.replace(second=0, microsecond=0) + _MINUTE


@dataclass(slots=True)
class _Minute:
    prices: list[int] = field(default_factory=list)
    volume: int = 0

    def add(self, each: Print) -> None:
        self.prices.append(each.price)
        self.volume += each.volume

    def bar(self, day: Bar, at: datetime) -> Bar:
        return Bar(
            symbol=day.symbol,
            interval=Interval.MINUTE,
            trading_day=day.trading_day,
            at=at,
            open=self.prices[0],
            high=max(self.prices),
            low=min(self.prices),
            close=self.prices[-1],
            volume=self.volume,
            source="drawn",
        )
