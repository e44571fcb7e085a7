"""This is what can be wrong with one bar of the Korean market, as its sources really send them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from trading.bars import Bar, Interval
from trading.errors import InvalidBar
from trading.instruments import Symbol
from trading.sessions import KST, Session, TradingCalendar, session_of

_ROUNDING = 500
"""One part in 500 of the price, and at least one won: four of five adjusted bars that are out of order are so
by one won; a reverse split multiplies that won."""


class Fault(StrEnum):
    """Why a bar is not taken."""

    STRANGER = "STRANGER"
    """Of another symbol, or another interval or source than the bars around it."""
    OFF_SESSION = "OFF_SESSION"
    """On a day or at a minute at which the exchange makes no bar."""
    UNFINISHED = "UNFINISHED"
    """Read before its closing price was made."""
    NO_PRICE = "NO_PRICE"
    """Shares were traded, or a close is claimed, at a price of zero or less."""
    OUT_OF_RANGE = "OUT_OF_RANGE"
    """The high is below, or the low above, another of the four prices."""
    REPEATED = "REPEATED"
    """The figures of the bar before it under a new date."""
    CONFLICTING = "CONFLICTING"
    """Sent twice with different figures."""


def fault_when_read(
    bar: Bar, symbol: Symbol, calendar: TradingCalendar, *, at: datetime
) -> Fault | None:
    """Say what is wrong with one bar of `symbol` that a source answered at `at`, None if nothing is."""
    if bar.symbol != symbol:
        return Fault.STRANGER
    if not calendar.is_trading_day(bar.trading_day) or not _is_labelled_well(bar):
        return Fault.OFF_SESSION
    ends_at = bar.at if bar.interval is Interval.MINUTE else session_of(bar.trading_day).closes_at
    if at < ends_at:
        return Fault.UNFINISHED
    return fault_of(bar)


def fault_of(bar: Bar) -> Fault | None:
    """Say what is physically impossible about one bar, None if nothing is.

    A halted day in either encoding passes. Adjusted prices may be out of order by what rounding leaves, raw
    ones may not. Prices half a tick off the grid are real since March 2025 and are no fault.
    """
    if bar.close <= 0 or bar.volume < 0:
        return Fault.NO_PRICE
    if bar.is_halted:
        return None
    if min(bar.open, bar.high, bar.low) <= 0:
        return Fault.NO_PRICE
    slack = max(1, bar.close // _ROUNDING) if bar.is_adjusted else 0
    is_high = bar.high + slack >= max(bar.open, bar.close, bar.low)
    is_low = bar.low - slack <= min(bar.open, bar.close, bar.high)
    return None if is_high and is_low else Fault.OUT_OF_RANGE


def minute_ends(session: Session) -> frozenset[datetime]:
    """Return the times that minute bars of a day carry: each minute's END, then the closing auction's.

    There are none during the auction (15:21 to 15:29): no price is made there.
    """
    minutes = (session.closing_auction_at - session.opens_at) // timedelta(minutes=1)
    continuous = {session.opens_at + timedelta(minutes=n) for n in range(1, minutes + 1)}
    return frozenset(continuous | {session.closes_at})


def off_session_volume(day: Bar, minutes: Iterable[Bar]) -> int:
    """Return the day's shares that no minute bar shows: traded before the opening or after the close.

    Raises:
        InvalidBar: when the minutes show more than the day.
    """
    rest = day.volume - sum(minute.volume for minute in minutes)
    if rest < 0:
        raise InvalidBar("volume", day.volume, f"at least the {day.volume - rest} of its minutes")
    return rest


def _is_labelled_well(bar: Bar) -> bool:
    if bar.interval is Interval.MINUTE:
        return bar.at in minute_ends(session_of(bar.trading_day))
    return bar.at == datetime.combine(bar.trading_day, time(), KST).astimezone(UTC)
