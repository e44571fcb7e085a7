"""This is how runs follow a day whose hours are later than the schedules assume (incident 50)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from flows.stories import session_delay
from tests.builders import seoul
from trading.sessions import session_of

HOUR = timedelta(hours=1)
NONE = timedelta()


@pytest.mark.parametrize(
    ("day", "clock", "delay"),
    [
        (date(2018, 1, 16), "08:50", NONE),
        (date(2018, 1, 16), "15:50", NONE),
        (date(2018, 1, 2), "08:50", HOUR),  # the first session of the year opens at 10:00
        (date(2018, 1, 2), "15:50", NONE),  # and closes as always
        (date(2018, 11, 15), "08:59", HOUR),  # the exam day opens and closes an hour later
        (date(2018, 11, 15), "09:00", NONE),
        (date(2018, 11, 15), "15:29", NONE),
        (date(2018, 11, 15), "15:30", HOUR),
        (date(2016, 7, 29), "15:50", NONE),  # until July 2016 the close was at 15:00
    ],
)
def test_a_run_waits_as_much_longer_as_the_day_is_later(
    day: date, clock: str, delay: timedelta
) -> None:
    assert session_delay(session_of(day), seoul(day, clock)) == delay
