"""This is when the simulated exchange does what, with a switch that keeps it open whatever the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from trading.sessions import KST, Phase, Session, TradingCalendar, phase_at, session_of


@dataclass(frozen=True, slots=True)
class Hours:
    """When a day's opening price is made, its continuous trading ends and its closing price is made."""

    opens_at: datetime
    closing_auction_at: datetime
    closes_at: datetime


def kst(at: datetime) -> datetime:
    """Show an instant as the wall clock in Seoul does."""
    return at.astimezone(KST)


def midnight(day: date) -> datetime:
    """Return the instant at which `day` begins in Seoul, aware UTC."""
    return datetime.combine(day, time(), KST).astimezone(UTC)


@lru_cache(maxsize=64)
def session(day: date) -> Session:
    """Return the exchange's hours of a day; they are asked for with every print."""
    return session_of(day)


class Timetable:
    """Trading days and hours: the exchange's own, or every hour of every day (`--clock open`)."""

    def __init__(self, calendar: TradingCalendar, *, is_always_open: bool) -> None:
        self.calendar = calendar
        self.is_always_open = is_always_open

    def is_trading_day(self, day: date) -> bool:
        """Tell whether the exchange opens on `day`."""
        return self.is_always_open or self.calendar.is_trading_day(day)

    def hours(self, day: date) -> Hours:
        """Return the hours of a trading day; an always open day is one long continuous session."""
        if self.is_always_open:
            end = midnight(day + timedelta(days=1))
            second = timedelta(seconds=1)
            # From 00:01 on: a client that pages minutes back must not run out of the day.
            start = midnight(day) + timedelta(minutes=1)
            return Hours(start, end - 2 * second, end - second)
        own = session(day)
        return Hours(own.opens_at, own.closing_auction_at, own.closes_at)

    def phase(self, at: datetime) -> Phase:
        """Return what the exchange does at `at`."""
        if self.is_always_open:
            return Phase.CONTINUOUS
        day = kst(at).date()
        return phase_at(at, session(day)) if self.is_trading_day(day) else Phase.CLOSED

    def is_in(self, phase: Phase, at: datetime) -> bool:
        """Tell whether a phase runs at `at`; two may run at once (off-hours trade in the opening auction)."""
        if self.is_always_open:
            return phase is Phase.CONTINUOUS
        day = kst(at).date()
        windows = session(day).windows if self.is_trading_day(day) else ()
        return any(window.phase is phase and window.contains(at) for window in windows)

    def previous_day(self, day: date) -> date:
        """Return the trading day before `day`."""
        return self.calendar.previous_trading_day(day)

    def settlement_day(self, day: date) -> date:
        """Return when trades of `day` settle (T+2)."""
        return self.calendar.settlement_day(day)
