"""This is the calendar held against every day that the exchange really traded."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendars import CORRECTIONS, XkrxCalendar
from tests.krx_sessions import CLOSED, FIRST, LAST, LATE, SHA256
from trading.errors import BadInput
from trading.sessions import KST, TradingCalendar, session_of

CALENDAR: TradingCalendar = XkrxCalendar()
DAY = timedelta(days=1)

days = st.dates(min_value=date(2014, 1, 1), max_value=date(2030, 12, 31))


def clock(at: datetime) -> str:
    """Give the Seoul clock of an aware time."""
    return f"{at.astimezone(KST):%H:%M}"


@pytest.mark.parametrize("year", CLOSED)
def test_the_weekdays_without_trade_are_those_of_the_exchange(year: int) -> None:
    first, last = date(year, 1, 1), min(date(year, 12, 31), LAST)
    span = (first + DAY * offset for offset in range((last - first).days + 1))
    closed = [day for day in span if day.weekday() < 5 and not CALENDAR.is_trading_day(day)]
    assert " ".join(f"{day:%m-%d}" for day in closed) == CLOSED[year]


def test_no_weekend_ever_trades() -> None:
    assert all(day.weekday() < 5 for day in CALENDAR.trading_days(FIRST, LAST))


def test_the_days_that_open_late_are_those_of_the_exchange() -> None:
    sessions = [session_of(day) for day in CALENDAR.trading_days(FIRST, LAST)]
    late = [
        f"{session.trading_day} {clock(session.opens_at)}-{clock(session.closes_at)}"
        for session in sessions
        if clock(session.opens_at) != "09:00"
    ]
    assert tuple(late) == LATE


def test_every_session_of_twelve_years_agrees_with_its_hours() -> None:
    sessions = [session_of(day) for day in CALENDAR.trading_days(FIRST, LAST)]
    lines = [f"{s.trading_day},{clock(s.opens_at)},{clock(s.closes_at)}" for s in sessions]
    text = "\n".join(["date,open,close", *lines, ""])
    assert hashlib.sha256(text.encode()).hexdigest() == SHA256


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 6, 3), False),  # local elections
        (date(2026, 7, 17), False),  # Constitution Day
        (date(2026, 9, 28), True),  # the Monday after Chuseok
        (date(2026, 9, 25), False),
        (date(2026, 12, 31), False),  # the last weekday of the year
        (date(2026, 12, 30), True),
        (date(2026, 5, 1), False),
    ],
)
def test_days_that_calendars_got_wrong_are_right(day: date, is_open: bool) -> None:  # noqa: FBT001 - a table
    assert CALENDAR.is_trading_day(day) is is_open


def test_the_broker_has_the_last_word() -> None:
    temporary_holiday, corrected, saturday = (
        date(2026, 10, 14),
        date(2026, 9, 28),
        date(2026, 10, 17),
    )
    calendar = XkrxCalendar({temporary_holiday: False, corrected: False, saturday: True})
    assert not calendar.is_trading_day(temporary_holiday)
    assert not calendar.is_trading_day(corrected)
    assert calendar.is_trading_day(saturday)
    assert calendar.next_trading_day(date(2026, 10, 13)) == date(2026, 10, 15)
    assert CALENDAR.is_trading_day(temporary_holiday)  # the other calendar has not heard of it
    assert CORRECTIONS[corrected]


def test_a_later_change_of_the_answers_does_not_reach_a_calendar_in_use() -> None:
    answers = {date(2026, 10, 14): False}
    calendar = XkrxCalendar(answers)
    answers.clear()
    assert not calendar.is_trading_day(date(2026, 10, 14))


@pytest.mark.parametrize(
    ("traded", "settles"),
    [
        (date(2026, 3, 3), date(2026, 3, 5)),
        (date(2026, 3, 5), date(2026, 3, 9)),  # over a weekend
        (date(2019, 5, 29), date(2019, 5, 31)),  # the old tax
        (date(2019, 5, 30), date(2019, 6, 3)),  # the new one
        (date(2025, 12, 26), date(2025, 12, 30)),  # the old year's tax
        (
            date(2025, 12, 29),
            date(2026, 1, 2),
        ),  # the new year's: 31 December and 1 January are closed
        (date(2025, 10, 1), date(2025, 10, 10)),  # over the longest Chuseok
    ],
)
def test_a_trade_settles_on_the_second_trading_day_after_it(traded: date, settles: date) -> None:
    assert CALENDAR.settlement_day(traded) == settles


@given(days)
def test_the_next_day_is_the_first_that_trades_and_leads_back(day: date) -> None:
    following = CALENDAR.next_trading_day(day)
    assert CALENDAR.trading_days(day + DAY, following) == (following,)
    assert CALENDAR.previous_trading_day(following) == CALENDAR.previous_trading_day(day + DAY)


@given(days)
def test_the_previous_day_is_the_last_that_traded(day: date) -> None:
    before = CALENDAR.previous_trading_day(day)
    assert CALENDAR.trading_days(before, day - DAY) == (before,)


def test_both_ends_of_a_span_count() -> None:
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)
    assert CALENDAR.trading_days(friday, monday) == (friday, monday)
    assert CALENDAR.trading_days(monday, friday) == ()


@pytest.mark.parametrize("day", [date(1999, 12, 31), date(2101, 1, 3)])
def test_a_year_without_holidays_to_know_is_refused(day: date) -> None:
    with pytest.raises(BadInput, match="2000 to 2100"):
        CALENDAR.is_trading_day(day)
