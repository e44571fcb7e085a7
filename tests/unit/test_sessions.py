"""This is the exchange's day at the minute, before and after each of its changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import BadInput
from trading.orders import OrderType
from trading.sessions import (
    EXAM_DAYS,
    KST,
    Phase,
    Session,
    accepts,
    phase_at,
    seoul_date,
    session_of,
)

SHORT_DAY = date(2016, 7, 29)
LONG_DAY = date(2016, 8, 1)
LAST_EARLY_MORNING = date(2019, 4, 26)
FIRST_LATER_MORNING = date(2019, 4, 29)
LAST_SINGLE_PRICE = date(2026, 9, 11)
FIRST_AFTER_MARKET = date(2026, 9, 14)
FIRST_OF_2026 = date(2026, 1, 2)
EXAM_2026 = date(2026, 11, 19)

days = st.dates(min_value=date(2014, 1, 1), max_value=date(2035, 12, 31))


def seoul(day: date, clock: str) -> datetime:
    """Give an aware time on the Seoul clock."""
    return datetime.combine(day, time.fromisoformat(clock), KST)


def clock(at: datetime) -> str:
    """Give the Seoul clock of an aware time."""
    return f"{at.astimezone(KST):%H:%M}"


def hours(session: Session) -> dict[Phase, str]:
    """Give all windows as text."""
    return {w.phase: f"{clock(w.starts_at)}-{clock(w.ends_at)}" for w in session.windows}


@pytest.mark.parametrize(
    ("day", "at", "phase"),
    [
        (SHORT_DAY, "07:29:59", Phase.CLOSED),
        (SHORT_DAY, "07:30", Phase.PRE_MARKET_CLOSE_PRICE),
        (SHORT_DAY, "08:00", Phase.OPENING_AUCTION),
        (SHORT_DAY, "09:00", Phase.CONTINUOUS),
        (SHORT_DAY, "14:49:59", Phase.CONTINUOUS),
        (SHORT_DAY, "14:50", Phase.CLOSING_AUCTION),
        (SHORT_DAY, "15:00", Phase.CLOSED),
        (SHORT_DAY, "15:10", Phase.POST_MARKET_CLOSE_PRICE),
        (SHORT_DAY, "15:30", Phase.SINGLE_PRICE),
        (LONG_DAY, "15:00", Phase.CONTINUOUS),
        (LONG_DAY, "15:20", Phase.CLOSING_AUCTION),
        (LONG_DAY, "15:30", Phase.CLOSED),
        (LONG_DAY, "15:40", Phase.POST_MARKET_CLOSE_PRICE),
        (LONG_DAY, "16:00", Phase.SINGLE_PRICE),
        (LONG_DAY, "18:00", Phase.CLOSED),
        (LAST_EARLY_MORNING, "08:00", Phase.OPENING_AUCTION),
        (FIRST_LATER_MORNING, "08:00", Phase.CLOSED),
        (FIRST_LATER_MORNING, "08:29:59", Phase.CLOSED),
        (FIRST_LATER_MORNING, "08:30", Phase.OPENING_AUCTION),
        (FIRST_LATER_MORNING, "08:59:59", Phase.OPENING_AUCTION),
        (FIRST_LATER_MORNING, "09:00", Phase.CONTINUOUS),
        (FIRST_LATER_MORNING, "15:19:59", Phase.CONTINUOUS),
        (FIRST_LATER_MORNING, "15:20", Phase.CLOSING_AUCTION),
        (FIRST_LATER_MORNING, "15:29:59", Phase.CLOSING_AUCTION),
        (FIRST_LATER_MORNING, "15:30", Phase.CLOSED),
        (LAST_SINGLE_PRICE, "16:00", Phase.SINGLE_PRICE),
        (LAST_SINGLE_PRICE, "19:00", Phase.CLOSED),
        (FIRST_AFTER_MARKET, "16:00", Phase.AFTER_MARKET),
        (FIRST_AFTER_MARKET, "19:59:59", Phase.AFTER_MARKET),
        (FIRST_AFTER_MARKET, "20:00", Phase.CLOSED),
        (FIRST_OF_2026, "09:00", Phase.CLOSED),
        (FIRST_OF_2026, "09:30", Phase.OPENING_AUCTION),
        (FIRST_OF_2026, "10:00", Phase.CONTINUOUS),
        (FIRST_OF_2026, "15:30", Phase.CLOSED),
        (EXAM_2026, "09:59:59", Phase.OPENING_AUCTION),
        (EXAM_2026, "10:00", Phase.CONTINUOUS),
        (EXAM_2026, "16:20", Phase.CLOSING_AUCTION),
        (EXAM_2026, "16:30", Phase.CLOSED),
        (EXAM_2026, "16:40", Phase.POST_MARKET_CLOSE_PRICE),
    ],
)
def test_the_phase_follows_the_table_of_its_day(day: date, at: str, phase: Phase) -> None:
    assert phase_at(seoul(day, at), session_of(day)) is phase


def test_a_regular_day_of_2025_has_the_hours_everybody_knows() -> None:
    assert hours(session_of(date(2025, 3, 5))) == {
        Phase.PRE_MARKET_CLOSE_PRICE: "08:30-08:40",
        Phase.OPENING_AUCTION: "08:30-09:00",
        Phase.CONTINUOUS: "09:00-15:20",
        Phase.CLOSING_AUCTION: "15:20-15:30",
        Phase.POST_MARKET_CLOSE_PRICE: "15:40-16:00",
        Phase.SINGLE_PRICE: "16:00-18:00",
    }


def test_the_exam_day_moves_everything_but_the_end_of_the_evening() -> None:
    assert hours(session_of(EXAM_DAYS[2016])) == {
        Phase.PRE_MARKET_CLOSE_PRICE: "08:30-09:30",
        Phase.OPENING_AUCTION: "09:00-10:00",
        Phase.CONTINUOUS: "10:00-16:20",
        Phase.CLOSING_AUCTION: "16:20-16:30",
        Phase.POST_MARKET_CLOSE_PRICE: "16:40-17:00",
        Phase.SINGLE_PRICE: "17:00-18:00",
    }


def test_the_first_session_of_a_year_opens_late_and_closes_on_time() -> None:
    session = session_of(date(2014, 1, 2))
    assert clock(session.opens_at) == "10:00"
    assert clock(session.closing_auction_at) == "14:50"
    assert clock(session.closes_at) == "15:00"


@pytest.mark.parametrize("year", range(2014, 2036))
def test_one_january_weekday_opens_late_each_year(year: int) -> None:
    january = [date(year, 1, day) for day in range(2, 12)]
    late = [day for day in january if clock(session_of(day).opens_at) == "10:00"]
    assert late == [next(day for day in january if day.weekday() < 5)]


def test_exam_days_are_thursdays_of_their_year_late_in_autumn() -> None:
    assert sorted(EXAM_DAYS) == list(range(2013, 2027))
    for year, day in EXAM_DAYS.items():
        assert (day.year, day.weekday()) == (year, 3)
        assert date(year, 11, 7) <= day <= date(year, 12, 3)


@given(days)
def test_phases_overlap_only_before_the_open(day: date) -> None:
    before_open = {Phase.PRE_MARKET_CLOSE_PRICE, Phase.OPENING_AUCTION}
    for one, other in combinations(session_of(day).windows, 2):
        assert one.starts_at < one.ends_at
        is_apart = one.ends_at <= other.starts_at
        assert is_apart or {one.phase, other.phase} == before_open


@given(days)
def test_the_regular_session_has_no_hole(day: date) -> None:
    session = session_of(day)
    regular = [
        session.window(phase)
        for phase in (Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION)
    ]
    assert regular[0].ends_at == regular[1].starts_at == session.opens_at
    assert regular[1].ends_at == regular[2].starts_at == session.closing_auction_at
    assert regular[2].ends_at - regular[2].starts_at == timedelta(minutes=10)


@given(days)
def test_every_time_of_a_session_is_utc_on_its_own_day_in_seoul(day: date) -> None:
    for window in session_of(day).windows:
        assert window.starts_at.tzinfo is UTC
        assert window.ends_at.tzinfo is UTC
        assert seoul_date(window.starts_at) == seoul_date(window.ends_at) == day


@pytest.mark.parametrize("order_type", OrderType)
def test_orders_of_the_regular_session_are_taken_in_its_three_phases_only(
    order_type: OrderType,
) -> None:
    taken = {phase for phase in Phase if accepts(order_type, phase)}
    assert taken == {Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION}


TABLE = """
CLOSED                  -
PRE_MARKET_CLOSE_PRICE  -
OPENING_AUCTION         LIMIT MARKET
CONTINUOUS              LIMIT MARKET
CLOSING_AUCTION         LIMIT MARKET
POST_MARKET_CLOSE_PRICE -
SINGLE_PRICE            -
AFTER_MARKET            -
"""


def test_the_whole_table_of_what_is_accepted_when() -> None:
    lines = [
        f"{phase:<23} {' '.join(t for t in OrderType if accepts(t, phase)) or '-'}"
        for phase in Phase
    ]
    print(*lines, sep="\n")  # noqa: T201 - the table is to be read
    assert lines == TABLE.strip().splitlines()


def test_a_phase_that_the_day_lacks_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="AFTER_MARKET"):
        session_of(LAST_SINGLE_PRICE).window(Phase.AFTER_MARKET)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 4, 14, 59, 59, tzinfo=UTC), date(2026, 3, 4)),
        (datetime(2026, 3, 4, 15, 0, tzinfo=UTC), date(2026, 3, 5)),
    ],
)
def test_midnight_in_seoul_is_three_in_the_afternoon_utc(at: datetime, day: date) -> None:
    assert seoul_date(at) == day


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 - the wrong input under test
    with pytest.raises(BadInput, match="zone"):
        seoul_date(naive)
    with pytest.raises(TypeError):
        phase_at(naive, session_of(date(2026, 3, 4)))
