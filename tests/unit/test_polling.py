"""This is how often prices are asked for that the stream has no room for."""

from __future__ import annotations

import pytest

from tasks.polling import POLLED_WITHIN, most_polled, poll_seconds


@pytest.mark.parametrize(
    ("pace", "seconds", "most"), [(1, 2.0, 60), (2, 1.0, 120), (3, 1.0, 120), (18, 1.0, 120)]
)
def test_asking_takes_half_the_pace_at_most_and_never_more_than_one_a_second(
    pace: int, seconds: float, most: int
) -> None:
    assert (poll_seconds(pace), most_polled(pace)) == (seconds, most)
    assert 1 / poll_seconds(pace) <= pace / 2
    assert most * poll_seconds(pace) <= POLLED_WITHIN < (most + 1) * poll_seconds(pace)
