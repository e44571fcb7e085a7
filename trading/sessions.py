"""This is the exchange's day: dated phases, late openings, accepted order types, the calendar protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from trading.errors import BadInput
from trading.orders import OrderType

KST: Final = ZoneInfo("Asia/Seoul")


class Phase(StrEnum):
    """What the exchange is doing; the two close-price phases and those after the close are off-hours."""

    CLOSED = "CLOSED"
    PRE_MARKET_CLOSE_PRICE = "PRE_MARKET_CLOSE_PRICE"
    """장전 시간외 종가: at the previous close."""
    OPENING_AUCTION = "OPENING_AUCTION"
    """장전 동시호가: orders are collected, the opening price is made at its end."""
    CONTINUOUS = "CONTINUOUS"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    """장마감 동시호가: the closing price is made at its end."""
    POST_MARKET_CLOSE_PRICE = "POST_MARKET_CLOSE_PRICE"
    """장후 시간외 종가: at today's close."""
    SINGLE_PRICE = "SINGLE_PRICE"
    """시간외 단일가: an auction every ten minutes, until 2026-09-11."""
    AFTER_MARKET = "AFTER_MARKET"
    """애프터마켓: since 2026-09-14, with order types of its own; regular orders are not carried over."""


_P = Phase

type Hours = tuple[time, time]
"""From, and up to but not including, in Seoul."""


def _hours(first: str, last: str) -> Hours:
    return time.fromisoformat(first), time.fromisoformat(last)


_ALWAYS: Final = date.min
"""The earliest row holds at least from 2014; older days get it too."""
_LONGER_DAY_FROM: Final = date(2016, 8, 1)
_SHORTER_MORNING_FROM: Final = date(2019, 4, 29)
_AFTER_MARKET_FROM: Final = date(2026, 9, 14)

PHASE_HOURS: Final[dict[Phase, tuple[tuple[date, Hours | None], ...]]] = {
    _P.PRE_MARKET_CLOSE_PRICE: (
        (_ALWAYS, _hours("07:30", "08:30")),
        (_SHORTER_MORNING_FROM, _hours("08:30", "08:40")),
    ),
    _P.OPENING_AUCTION: (
        (_ALWAYS, _hours("08:00", "09:00")),
        (_SHORTER_MORNING_FROM, _hours("08:30", "09:00")),
    ),
    _P.CONTINUOUS: (
        (_ALWAYS, _hours("09:00", "14:50")),
        (_LONGER_DAY_FROM, _hours("09:00", "15:20")),
    ),
    _P.CLOSING_AUCTION: (
        (_ALWAYS, _hours("14:50", "15:00")),
        (_LONGER_DAY_FROM, _hours("15:20", "15:30")),
    ),
    _P.POST_MARKET_CLOSE_PRICE: (
        (_ALWAYS, _hours("15:10", "15:30")),
        (_LONGER_DAY_FROM, _hours("15:40", "16:00")),
    ),
    _P.SINGLE_PRICE: (
        (_ALWAYS, _hours("15:30", "18:00")),
        (_LONGER_DAY_FROM, _hours("16:00", "18:00")),
        (_AFTER_MARKET_FROM, None),
    ),
    _P.AFTER_MARKET: ((_ALWAYS, None), (_AFTER_MARKET_FROM, _hours("16:00", "20:00"))),
}
"""The hours of each phase by the day from which they hold, on a day without a late opening."""

_FRIDAY: Final = 5
_ON_TIME: Final = (0, 0)
_LATE: Final = (1, 1)
_LATE_START: Final = (1, 0)

type Shift = dict[Phase, tuple[int, int]]
"""By how many hours a phase starts and ends later; phases that are not named keep their hours."""

_FIRST_SESSION_SHIFT: Final[Shift] = {
    _P.PRE_MARKET_CLOSE_PRICE: _LATE,
    _P.OPENING_AUCTION: _LATE,
    _P.CONTINUOUS: _LATE_START,
}
_EXAM_SHIFT: Final[Shift] = {
    _P.PRE_MARKET_CLOSE_PRICE: _LATE,
    _P.OPENING_AUCTION: _LATE,
    _P.CONTINUOUS: _LATE,
    _P.CLOSING_AUCTION: _LATE,
    _P.POST_MARKET_CLOSE_PRICE: _LATE,
    _P.SINGLE_PRICE: _LATE_START,
    # Not announced yet for the first exam day with an after-market; taken to go like the single-price session.
    _P.AFTER_MARKET: _LATE_START,
}

EXAM_DAYS: Final[dict[int, date]] = {
    day.year: day
    for day in (
        date(2013, 11, 7),
        date(2014, 11, 13),
        date(2015, 11, 12),
        date(2016, 11, 17),
        # The postponed exam. On 2017-11-16, the day first set, the exchange is reported to have kept its
        # announced late hours; the session list that our calendar is held against has regular hours there.
        date(2017, 11, 23),
        date(2018, 11, 15),
        date(2019, 11, 14),
        date(2020, 12, 3),
        date(2021, 11, 18),
        date(2022, 11, 17),
        date(2023, 11, 16),
        date(2024, 11, 14),
        date(2025, 11, 13),
        date(2026, 11, 19),
    )
}
"""College entrance exam days (수능) by year: no rule gives them, so each year's is added when announced."""


@dataclass(frozen=True, slots=True)
class Window:
    """One phase of one day, `starts_at` included, `ends_at` not; both aware UTC."""

    phase: Phase
    starts_at: datetime
    ends_at: datetime

    def contains(self, at: datetime) -> bool:
        """Tell whether `at` (aware) lies in the phase."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Session:
    """The phases of one trading day, in the order of `PHASE_HOURS`."""

    trading_day: date
    windows: tuple[Window, ...]

    @property
    def opens_at(self) -> datetime:
        """When the opening price is made and continuous trading begins."""
        return self.window(_P.CONTINUOUS).starts_at

    @property
    def closing_auction_at(self) -> datetime:
        """When continuous trading ends."""
        return self.window(_P.CLOSING_AUCTION).starts_at

    @property
    def closes_at(self) -> datetime:
        """When the closing price is made."""
        return self.window(_P.CLOSING_AUCTION).ends_at

    def window(self, phase: Phase) -> Window:
        """Return the window of `phase`.

        Raises:
            BadInput: when the day has no such phase (after-market in 2025, CLOSED on any day).
        """
        for window in self.windows:
            if window.phase is phase:
                return window
        raise BadInput("phase", phase, f"a phase that {self.trading_day.isoformat()} has")


@lru_cache(512)  # asked at each price
def session_of(day: date) -> Session:
    """Return the hours of `day`, taking for granted that it is a trading day (the calendar's question)."""
    windows = []
    for phase, changes in PHASE_HOURS.items():
        hours = next(hours for since, hours in reversed(changes) if day >= since)
        if hours is not None:
            late_start, late_end = _shift(day).get(phase, _ON_TIME)
            windows.append(
                Window(phase, _utc(day, hours[0], late_start), _utc(day, hours[1], late_end))
            )
    return Session(day, tuple(windows))


def phase_at(at: datetime, session: Session) -> Phase:
    """Return what the exchange does at `at` (aware) on the session's day.

    Where the opening auction overlaps the off-hours trade before it, the auction counts.
    """
    running = (window.phase for window in reversed(session.windows) if window.contains(at))
    return next(running, _P.CLOSED)


_BOTH: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
_NEITHER: Final[frozenset[OrderType]] = frozenset()

ACCEPTED_TYPES: Final[dict[Phase, frozenset[OrderType]]] = {
    _P.CLOSED: _NEITHER,
    _P.PRE_MARKET_CLOSE_PRICE: _NEITHER,
    _P.OPENING_AUCTION: _BOTH,
    _P.CONTINUOUS: _BOTH,
    _P.CLOSING_AUCTION: _BOTH,
    _P.POST_MARKET_CLOSE_PRICE: _NEITHER,
    _P.SINGLE_PRICE: _NEITHER,
    _P.AFTER_MARKET: _NEITHER,
}
"""Which of our order types the exchange takes when: ours are those of the regular session only."""


def accepts(order_type: OrderType, phase: Phase) -> bool:
    """Tell whether an order of this type may be placed in `phase`."""
    return order_type in ACCEPTED_TYPES[phase]


def seoul_date(at: datetime) -> date:
    """Return the calendar date in Seoul at `at` (aware): the trading day, if it is one.

    Raises:
        BadInput: for a naive time, which could be another day.
    """
    if at.tzinfo is None:
        raise BadInput("at", at.isoformat(), "a time with its zone")
    return at.astimezone(KST).date()


def _shift(day: date) -> Shift:
    if day == EXAM_DAYS.get(day.year):
        return _EXAM_SHIFT
    return _FIRST_SESSION_SHIFT if day == _first_session(day.year) else {}


def _first_session(year: int) -> date:
    """Return the first weekday from 2 January: no Korean holiday but 1 January falls on the days before it."""
    day = date(year, 1, 2)
    while day.isoweekday() > _FRIDAY:
        day += timedelta(days=1)
    return day


def _utc(day: date, at: time, late_hours: int) -> datetime:
    return datetime.combine(day, at, KST).astimezone(UTC) + timedelta(hours=late_hours)


class TradingCalendar(Protocol):
    """Which days the exchange trades. Implemented by `adapters.calendars`."""

    def is_trading_day(self, day: date) -> bool:
        """Tell whether the regular session takes place on `day`."""
        ...

    def next_trading_day(self, day: date) -> date:
        """Return the first trading day after `day`."""
        ...

    def previous_trading_day(self, day: date) -> date:
        """Return the last trading day before `day`."""
        ...

    def trading_days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the trading days from `first` to `last`, both included."""
        ...

    def settlement_day(self, day: date) -> date:
        """Return when a trade of `day` settles: the second trading day after it (T+2)."""
        ...
